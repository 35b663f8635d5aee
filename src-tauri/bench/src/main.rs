//! `cargo xtask bench`: measures the programs as they ship, on the private desktop, and prints the
//! table of `docs/performance.md`. Everything stays on loopback and ends within its limit.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod backends;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod flow;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod policy;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod scene;
#[cfg(target_os = "linux")]
mod start;

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let plan = match arguments::read(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let mut report = report::Report::default();
    for part in &plan.parts {
        eprintln!("bench: {}", part.name());
        if let Err(failure) = measure(*part, &plan, &mut report).await {
            eprintln!("bench: {} failed: {failure}", part.name());
            report.failed(part.name(), &failure.to_string());
        }
    }
    println!("{report}");
    if report.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Each part has a desktop of its own, so that none inherits anything.
#[cfg(target_os = "linux")]
async fn measure(
    part: arguments::Part,
    plan: &arguments::Plan,
    report: &mut report::Report,
) -> support::Result<()> {
    use arguments::Part;
    use support::{Desktop, Options};

    match part {
        Part::Rows => return rows::measure(plan, report),
        Part::Backends => return backends::measure(plan, report).await,
        Part::Policy => return policy::measure(report),
        _ => {}
    }
    let desktop = Desktop::start(Options::default()).await?;
    match part {
        Part::Start => start::measure(&desktop, plan, report).await,
        Part::Idle => idle::measure(&desktop, plan, report).await,
        Part::Window => idle::around_a_window(&desktop, plan, report).await,
        Part::Latency => flow::latency(&desktop, plan, report).await,
        Part::Burst => flow::burst(&desktop, report).await,
        Part::Away => flow::away(&desktop, report).await,
        Part::Ingest => flow::ingest(&desktop, plan, report).await,
        Part::Rows | Part::Backends | Part::Policy => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("The bench needs the private desktop, which there is on Linux only.");
    std::process::ExitCode::FAILURE
}
