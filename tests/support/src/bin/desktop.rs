//! Runs a command inside a private desktop that draws toasts, and takes pictures meanwhile: what
//! `cargo xtask demo` does where there is no display.
#![cfg_attr(
    target_os = "linux",
    allow(
        clippy::disallowed_methods,
        reason = "pictures are taken in real time, while the command runs"
    )
)]

use std::process::ExitCode;

const USAGE: &str = "\
Runs a command inside a private desktop under Xvfb.

usage: tidings-desktop [--screenshots DIR] [--every SECONDS] [--limit SECONDS] -- COMMAND [ARGUMENT]…

  --screenshots DIR   puts a picture of the display there every few seconds, and what is in the tray
  --every SECONDS     how often (default 5)
  --limit SECONDS     when to end the command, if it doesn't end by itself (default 600)

The exit code is that of the command.
";

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments = match linux::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match linux::run(&arguments).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("tidings-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("{USAGE}\nIt works on Linux only.");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs,
        io::Write,
        path::{Path, PathBuf},
        process::{Command, Stdio},
        time::Duration,
    };

    use support::{Desktop, NotificationDaemon, Options, Pixmap, Program, Result, TrayItem};
    use tokio::time::{Instant, sleep};

    /// How often the command's output is passed on.
    const TICK: Duration = Duration::from_millis(100);
    /// How long the command may take to end after it was asked to.
    const FAREWELL: Duration = Duration::from_secs(10);

    #[derive(Debug)]
    pub struct Arguments {
        screenshots: Option<PathBuf>,
        every: Duration,
        limit: Duration,
        command: Vec<String>,
    }

    pub fn read(mut given: impl Iterator<Item = String>) -> Result<Arguments> {
        let mut arguments = Arguments {
            screenshots: None,
            every: Duration::from_secs(5),
            limit: Duration::from_mins(10),
            command: Vec::new(),
        };
        while let Some(name) = given.next() {
            if name == "--" {
                arguments.command = given.collect();
                break;
            }
            let value = given
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--screenshots" => arguments.screenshots = Some(value.into()),
                "--every" => arguments.every = Duration::from_secs(value.parse()?),
                "--limit" => arguments.limit = Duration::from_secs(value.parse()?),
                _ => return Err(format!("there is no option {name}").into()),
            }
        }
        if arguments.command.is_empty() {
            return Err("there is no command".into());
        }
        Ok(arguments)
    }

    pub async fn run(arguments: &Arguments) -> Result<u8> {
        if let Some(folder) = &arguments.screenshots {
            fs::create_dir_all(folder)?;
        }
        let desktop = Desktop::start(Options {
            notifications: NotificationDaemon::Dunst,
            ..Options::default()
        })
        .await?;
        paint_background(&desktop)?;
        let (name, rest) = arguments.command.split_first().ok_or("no command")?;
        let mut command = desktop.command(name);
        command.args(rest).current_dir(std::env::current_dir()?);
        let mut program = desktop.run(command, "command")?;

        let start = Instant::now();
        let mut passed = Passed::default();
        let mut next_picture = start + arguments.every;
        let mut pictures = 0;
        let status = loop {
            let ended = program.try_wait()?;
            passed.pass_on(&program, ended.is_some())?;
            if let Some(status) = ended {
                break status;
            }
            if start.elapsed() >= arguments.limit {
                eprintln!("tidings-desktop: {:?} are over", arguments.limit);
                let status = program.stop(FAREWELL).await?;
                passed.pass_on(&program, true)?;
                break status;
            }
            if let Some(folder) = &arguments.screenshots
                && Instant::now() >= next_picture
            {
                pictures += 1;
                desktop.screenshot(&folder.join(format!("desktop-{pictures:02}.png")))?;
                draw_tray(&desktop, folder).await?;
                next_picture = Instant::now() + arguments.every;
            }
            sleep(TICK).await;
        };
        // A command that a signal ended has no code of its own.
        Ok(status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1))
    }

    /// How much of the command's output was passed on already.
    #[derive(Default)]
    struct Passed {
        output: usize,
        errors: usize,
    }

    impl Passed {
        /// Passes on the complete lines; at the `end`, everything.
        fn pass_on(&mut self, program: &Program, end: bool) -> Result<()> {
            let (output, errors) = (program.output()?, program.errors()?);
            std::io::stdout().write_all(news(&output, &mut self.output, end))?;
            std::io::stdout().flush()?;
            std::io::stderr().write_all(news(&errors, &mut self.errors, end))?;
            Ok(())
        }
    }

    fn news<'a>(text: &'a str, passed: &mut usize, end: bool) -> &'a [u8] {
        // Up to the last line's end, so that a letter of several bytes isn't cut in two.
        let complete = if end {
            text.len()
        } else {
            text.rfind('\n').map_or(0, |at| at + 1)
        };
        let news = text.as_bytes().get(*passed..complete).unwrap_or_default();
        *passed += news.len();
        news
    }

    /// A plain blue-grey instead of the display's black, on which dark windows would drown.
    fn paint_background(desktop: &Desktop) -> Result<()> {
        // It exits with 1 also when it has painted, so its exit code says nothing.
        Command::new("display")
            .args(["-size", "64x64", "-window", "root", "xc:#5e6e85"])
            .env("DISPLAY", desktop.display())
            .status()?;
        Ok(())
    }

    /// There is no panel to see the tray in, so its icon becomes a picture and its menu a text.
    async fn draw_tray(desktop: &Desktop, folder: &Path) -> Result<()> {
        for item in desktop.tray().items() {
            // An item that goes meanwhile is none to draw.
            let Ok(text) = describe(&item).await else {
                continue;
            };
            fs::write(folder.join("tray.txt"), text)?;
            let pixmaps = item.icon_pixmaps().await.unwrap_or_default();
            if let Some(largest) = pixmaps.iter().max_by_key(|pixmap| pixmap.width) {
                save(largest, &folder.join("tray.png"))?;
            }
        }
        Ok(())
    }

    async fn describe(item: &TrayItem) -> Result<String> {
        let tip = item.tool_tip().await?;
        Ok(format!(
            "{}\n{}\n\n{}",
            tip.title,
            tip.text,
            item.menu().await?.outline()
        ))
    }

    fn save(pixmap: &Pixmap, file: &Path) -> Result<()> {
        let rgba: Vec<u8> = pixmap
            .argb
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[1], pixel[2], pixel[3], pixel[0]])
            .collect();
        let mut convert = Command::new("convert")
            .args(["-depth", "8", "-size"])
            .arg(format!("{}x{}", pixmap.width, pixmap.height))
            .arg("rgba:-")
            .arg(file)
            .stdin(Stdio::piped())
            .spawn()?;
        if let Some(mut pipe) = convert.stdin.take() {
            pipe.write_all(&rgba)?;
        }
        if !convert.wait()?.success() {
            return Err("ImageMagick's convert failed on the tray icon".into());
        }
        Ok(())
    }
}
