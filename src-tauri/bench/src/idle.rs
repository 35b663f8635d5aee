//! What the resident costs while nothing happens, also after a window; and the window itself.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use support::{Desktop, Memory, Result, Screen};

use crate::arguments::Plan;
use crate::clock;
use crate::report::{Report, float, mib, quantile, time};
use crate::scene::{Mode, PATIENCE, Scene, until_status};

/// Memory that the resident may use, bytes.
pub const MEMORY: u64 = 12 << 20;
/// Processor time that it may use in a minute.
const CPU: Duration = Duration::from_millis(10);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_secs(1);
/// How often a second it may wake up.
const WAKEUPS: f64 = 0.5;
/// Notifications in the inbox that the window shows.
const ROWS: u64 = 500;
/// A window is opened so often; the first one finds nothing in the disk's cache.
const OPENINGS: usize = 4;

/// One and five accounts, without a window.
pub async fn measure(desktop: &Desktop, plan: &Plan, report: &mut Report) -> Result<()> {
    for accounts in [1, 5] {
        let mut scene = Scene::new(desktop, accounts, Mode::Tray).await?;
        // A resident that did not add its accounts itself, as after a login.
        scene.stop().await?;
        scene.until_no_streams().await?;
        scene.start(Mode::Tray)?;
        let client = scene.until_it_answers().await?;
        scene.until_live(&client).await?;
        drop(client);
        let name = if accounts == 1 { "account" } else { "accounts" };
        watch(&scene, plan, &format!("{accounts} {name}"), report).await?;
        scene.stop().await?;
        fs::remove_dir_all(desktop.folder().join("profile"))?;
    }
    Ok(())
}

/// The time to a window, and the resident after it was closed.
pub async fn around_a_window(desktop: &Desktop, plan: &Plan, report: &mut Report) -> Result<()> {
    let scene = Scene::new(desktop, 5, Mode::Tray).await?;
    let client = scene.until_it_answers().await?;
    for number in 0..ROWS {
        scene.publish(number).await?;
    }
    until_status(&client, "all to be stored", |status| {
        status.counts.all >= ROWS
    })
    .await?;
    drop(client);

    let screen = Screen::open(desktop.display())?;
    let mut openings = Vec::new();
    let mut memory = 0;
    for _ in 0..OPENINGS {
        let begin = clock::now();
        let mut open = desktop.run(scene.command(&[]), "open")?;
        let window = loop {
            if let Some(window) = screen.window()?
                && screen.is_painted(window)?
            {
                break window;
            }
            if clock::since(begin) > PATIENCE {
                return Err("no window was painted".into());
            }
            clock::pause(Duration::from_millis(5)).await;
        };
        openings.push(clock::since(begin));
        open.wait_for_end(PATIENCE).await?;
        clock::pause(plan.settle).await;
        memory = memory_below(scene.resident()?.id())?;
        screen.close(window)?;
        support::until("the window to be gone", PATIENCE, async || {
            Ok(below(scene.resident()?.id())?.is_empty().then_some(()))
        })
        .await?;
    }
    let first = openings.remove(0);
    report.tell("`tidings` → painted list, first time", time(first));
    report.at_most(
        "`tidings` → painted list, warm, median",
        Duration::from_millis(700),
        quantile(&mut openings, 0.5),
    );
    report.tell(
        "memory of the window's processes while it is open, PSS",
        mib(memory),
    );
    watch(
        &scene,
        plan,
        "5 accounts, after a window was closed",
        report,
    )
    .await
}

/// Lets a resident come to rest, and then only looks.
async fn watch(scene: &Scene<'_>, plan: &Plan, who: &str, report: &mut Report) -> Result<()> {
    let resident = scene.resident()?;
    clock::pause(plan.settle).await;
    let mut spent = Spent::of(resident.id())?;
    let begin = clock::now();
    while clock::since(begin) < plan.idle {
        clock::pause(LOOK).await;
        spent.look()?;
    }
    let seconds = clock::since(begin).as_secs_f64();
    let memory = resident.memory()?.pss;

    report.judge(
        &format!("idle, {who}: memory (PSS)"),
        &format!("≤ {}", mib(MEMORY)),
        mib(memory),
        memory <= MEMORY,
    );
    let minute = spent.cpu.mul_f64(60.0 / seconds);
    report.at_most(&format!("idle, {who}: CPU a minute"), CPU, minute);
    let rate = float(spent.wakeups) / seconds;
    report.judge(
        &format!("idle, {who}: wakeups a second"),
        &format!("≤ {WAKEUPS}"),
        format!("{rate:.2}"),
        rate <= WAKEUPS,
    );
    Ok(())
}

/// What a process spent since it is watched. Looked at often, so that little is missed of threads that end: the
/// kernel's counts end with them.
struct Spent {
    process: u32,
    /// What each thread had spent when it was last seen: processor time in nanoseconds, and wakeups.
    threads: HashMap<OsString, (u64, u64)>,
    cpu: Duration,
    wakeups: u64,
}

impl Spent {
    fn of(process: u32) -> Result<Self> {
        Ok(Self {
            process,
            threads: threads(process)?,
            cpu: Duration::ZERO,
            wakeups: 0,
        })
    }

    fn look(&mut self) -> Result<()> {
        let now = threads(self.process)?;
        for (thread, (cpu, wakeups)) in &now {
            // A new one spent all of it meanwhile.
            let (before, woken) = self.threads.get(thread).copied().unwrap_or_default();
            self.cpu += Duration::from_nanos(cpu.saturating_sub(before));
            self.wakeups += wakeups.saturating_sub(woken);
        }
        self.threads = now;
        Ok(())
    }
}

/// Every thread of a process, with its processor time (`schedstat`) and how often it went to sleep by itself, which
/// is how often it woke up.
fn threads(process: u32) -> Result<HashMap<OsString, (u64, u64)>> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = entry?;
        let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let cpu = read("schedstat");
        let status = read("status");
        let woken = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        // One that ends while it is looked at is left out.
        if let (Some(cpu), Some(woken)) = (cpu.split_whitespace().next(), woken) {
            let spent = (cpu.parse()?, woken.trim().parse()?);
            found.insert(thread.file_name(), spent);
        }
    }
    Ok(found)
}

/// The memory of all processes that `process` started, and of those that they started, bytes.
fn memory_below(process: u32) -> Result<u64> {
    let mut sum = 0;
    for child in below(process)? {
        // One that ends while they are counted costs nothing.
        sum += Memory::of(child).map_or(0, |memory| memory.pss);
    }
    Ok(sum)
}

/// All processes below `process`.
fn below(process: u32) -> Result<Vec<u32>> {
    let mut pairs = Vec::<(u32, u32)>::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // `id (name) state parent …`; the name may have brackets and spaces of its own.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if let Some(parent) = rest.split(' ').nth(1).and_then(|text| text.parse().ok()) {
            pairs.push((parent, id));
        }
    }
    let mut found = vec![process];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = pairs.iter().filter(|(of, _)| *of == parent);
        found.extend(children.map(|(_, id)| *id));
        next += 1;
    }
    Ok(found.split_off(1))
}
