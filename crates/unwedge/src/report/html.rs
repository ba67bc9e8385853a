//! How does a report look on a page? One file without scripts, fonts or addresses: the findings, the wait
//! graph, the last seconds, everyone who was seen, and the report itself.

use std::fmt::Write as _;

use unwedge_analyze::report::{AgentSummary, Finding, Waiter};
use unwedge_analyze::{Report, Verdict};
use unwedge_trace::Recording;

use super::chain::{Chain, Step, chain};
use super::counts::{grouped, many};
use super::page::{escape, escape_verbatim, fill};
use super::{json, statistics_page, svg, timeline, words};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const INJECTED: &str = "Injected on purpose";
/// Other waiters that are listed openly; more are folded away.
const ALSO_WAITING_OPEN: usize = 6;
/// Agents in the table and in the timeline. Nobody reads more, and a browser has its bounds.
const AGENTS_MAX: usize = 300;
/// What is left out says this about those who are there.
const ORDER: &str = "who cannot proceed comes first, then who waits";

/// The report as one self-contained page.
pub(crate) fn html(report: &Report, recording: &Recording) -> String {
    page(report, recording, false)
}

/// The report of a trace as one self-contained page, with what was counted over all events. Of these, `recording` may
/// have only those that matter.
pub(crate) fn trace_html(report: &Report, recording: &Recording) -> String {
    page(report, recording, true)
}

fn page(report: &Report, recording: &Recording, trace: bool) -> String {
    let agents = by_urgency(&report.agents);
    let shown = &agents[..agents.len().min(AGENTS_MAX)];
    let graph = svg::wait_graph(&report.graph);
    let timeline = timeline::timeline(report, recording, shown);
    let stuck = words::stuck(report.verdict);
    fill(
        PAGE,
        &[
            ("title", &escape(&title(report))),
            ("style", STYLE),
            ("verdict", words::verdict(report.verdict)),
            ("answer", &escape(answer(report.verdict))),
            ("facts", &facts(report, trace)),
            ("caveats", &caveats(report)),
            ("findings", &report.findings.iter().map(|f| card(report, f)).collect::<String>()),
            ("statistics", &if trace { statistics_page::sections(report) } else { String::new() }),
            ("graph", &graph),
            ("timeline", &timeline.svg),
            ("span", &timeline.span),
            ("legend", &timeline.legend),
            ("drawn", if trace { drawn(report, recording) } else { "" }),
            ("agents", &shown.iter().map(|agent| agent_row(agent, stuck)).collect::<String>()),
            ("more", &more(agents.len() - shown.len())),
            ("version", env!("CARGO_PKG_VERSION")),
            ("json", &escape_verbatim(&json::for_page(report, &agents))),
        ],
    )
}

/// Who cannot proceed comes first; otherwise as they were seen. Of a crowd only the beginning is shown, so that
/// there those who wait come before the rest.
fn by_urgency(agents: &[AgentSummary]) -> Vec<&AgentSummary> {
    let crowd = agents.len() > AGENTS_MAX;
    let mut agents: Vec<&AgentSummary> = agents.iter().collect();
    agents.sort_by_key(|agent| (!agent.wedged, crowd && agent.since_ms.is_none()));
    agents
}

/// What the timeline leaves out of a trace whose recording was cut to what matters.
fn drawn(report: &Report, recording: &Recording) -> &'static str {
    if (recording.events.len() as u64) < report.statistics.events {
        "<p class=\"hint left-out\">Of a large trace, only the last of what each agent did is drawn.</p>"
    } else {
        ""
    }
}

fn more(left_out: usize) -> String {
    if left_out == 0 {
        return String::new();
    }
    format!("<p class=\"hint left-out\">And {} more: {ORDER}.</p>", grouped(left_out as u64))
}

fn title(report: &Report) -> String {
    let verdict = words::verdict(report.verdict);
    match report.findings.first() {
        Some(finding) => format!("{verdict}: {} {} · unwedge", finding.code, finding.name),
        None => format!("{verdict} · unwedge"),
    }
}

fn answer(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Progressing => "Every wait that is open can still end.",
        Verdict::Wedged => "Something waits for a signal that will not come.",
        Verdict::Inconclusive => "The evidence allows neither accusation nor acquittal.",
    }
}

fn facts(report: &Report, trace: bool) -> String {
    let wedged = report.agents.iter().filter(|agent| agent.wedged).count();
    let stuck = match report.verdict {
        Verdict::Inconclusive => "Seem stuck",
        Verdict::Progressing | Verdict::Wedged => "Cannot proceed",
    };
    let agents = many(report.agents.len() as u64, "agent");
    let lost = match report.events_lost {
        0 => "none".to_owned(),
        lost => grouped(lost),
    };
    let mut facts = vec![
        ("Findings", report.findings.len().to_string()),
        (stuck, format!("{} of {agents}", grouped(wedged as u64))),
    ];
    if trace {
        facts.extend(statistics_page::facts(&report.statistics));
    }
    facts.extend([("Events lost", lost), ("Source", report.source.clone())]);
    let fact = |(name, value): &(&str, String)| {
        format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(value))
    };
    facts.iter().map(fact).collect()
}

/// What limits the answer, or explains it. Each finding shows the injected faults itself.
fn caveats(report: &Report) -> String {
    let nowhere = if report.findings.is_empty() { &report.injected[..] } else { &[] };
    let boxes = [
        ("injected", INJECTED, nowhere),
        ("missing", "Missing for a firmer answer", &report.missing[..]),
        ("notes", "Notes", &report.notes[..]),
    ];
    let filled = boxes.iter().filter(|(_, _, lines)| !lines.is_empty());
    let boxes: String = filled
        .map(|(class, name, lines)| {
            format!("<section class=\"caveat {class}\"><h2>{name}</h2>{}</section>", list(lines))
        })
        .collect();
    if boxes.is_empty() { boxes } else { format!("<div class=\"caveats\">{boxes}</div>") }
}

fn list(lines: &[String]) -> String {
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", prose(line))).collect();
    format!("<ul>{items}</ul>")
}

/// Escaped, with what stands between backticks as code.
fn prose(text: &str) -> String {
    let text = escape(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let mark = |(index, part): (usize, &&str)| {
        if index % 2 == 1 { format!("<code>{part}</code>") } else { (*part).to_owned() }
    };
    parts.iter().enumerate().map(mark).collect()
}

fn card(report: &Report, finding: &Finding) -> String {
    let code = escape(finding.code);
    let mut out = format!(
        "<article class=\"finding\" id=\"{code}\" aria-label=\"{code} {name}\">\
         <header><span class=\"code\">{code}</span> <h2>{name}</h2>{doubt}</header>\
         <p class=\"sentence\">{sentence}</p>",
        name = escape(finding.name),
        doubt = if finding.conclusive { "" } else { " <span class=\"kind\">inconclusive</span>" },
        sentence = escape(&finding.sentence),
    );
    if let Some(waiter) = &finding.waiter {
        let _ = write!(out, "<p class=\"place\">{}</p>", place(waiter));
    }
    if !report.injected.is_empty() {
        let _ = write!(
            out,
            "<section class=\"injected\"><h3>{INJECTED}</h3>{}</section>",
            list(&report.injected)
        );
    }
    out.push_str("<div class=\"columns\">");
    let chain = chain(report, finding);
    if !chain.steps.is_empty() {
        let _ = write!(
            out,
            "<section class=\"way\"><h3>From the waiter to the root</h3>{}</section>",
            chain_list(&chain, finding.name)
        );
    }
    out.push_str("<div class=\"why\">");
    if !finding.evidence.is_empty() {
        let _ = write!(
            out,
            "<section class=\"evidence\"><h3>Evidence</h3>{}</section>",
            list(&finding.evidence)
        );
    }
    if !finding.remedy.is_empty() {
        let _ = write!(
            out,
            "<section class=\"remedy\"><h3>What to do</h3><p>{}</p></section>",
            prose(&finding.remedy)
        );
    }
    stack(&mut out, finding);
    also_waiting(&mut out, finding);
    let _ = write!(
        out,
        "<p class=\"more\">More about {code}: <code>unwedge help {code}</code></p></div></div></article>"
    );
    out
}

fn place(waiter: &Waiter) -> String {
    let name = escape(&words::waiter(waiter));
    let since = escape(&words::duration(waiter.since_ms));
    if waiter.call.is_empty() {
        return format!("<b>{name}</b> for <b>{since}</b>");
    }
    format!("<b>{name}</b> in <code>{}</code> for <b>{since}</b>", escape(&waiter.call))
}

/// The stops one below the other; a cycle's are inside a bracket that leads back to its first.
fn chain_list(chain: &Chain, root: &str) -> String {
    let mut out = String::from("<ol class=\"chain\">");
    let start = chain.back.as_ref().map(|(start, _)| *start);
    for (index, step) in chain.steps.iter().enumerate() {
        let last = index + 1 == chain.steps.len() && start.is_none();
        let class = match start {
            Some(start) if index == start => " loop first",
            Some(start) if index > start => " loop",
            _ => "",
        };
        out.push_str(&stop(step, last, class));
    }
    match &chain.back {
        Some((start, via)) => {
            let _ = write!(
                out,
                "<li class=\"back\"><span class=\"via\">{}</span> back to <b>{}</b></li>",
                escape(via),
                escape(&chain.steps[*start].name)
            );
        }
        None => {
            let _ = write!(out, "<li class=\"end\">{}</li>", escape(root));
        }
    }
    out.push_str("</ol>");
    out
}

fn stop(step: &Step, root: bool, class: &str) -> String {
    let role = if step.agent { "agent" } else { "object" };
    let root = if root { " root" } else { "" };
    let via = match step.via.as_str() {
        "" => String::new(),
        via => format!("<span class=\"via\">{}</span> ", escape(via)),
    };
    // An object's name begins with its kind already, and so do most agents'.
    let kind = match step.kind.rsplit(' ').next() {
        Some(noun) if !step.name.to_lowercase().contains(&noun.to_lowercase()) => {
            format!("<span class=\"kind\">{}</span> ", step.kind)
        }
        _ => String::new(),
    };
    format!(
        "<li class=\"{role}{root}{class}\">{via}<span class=\"stop\">{kind}\
         <span class=\"name\">{}</span></span></li>",
        escape(&step.name)
    )
}

fn stack(out: &mut String, finding: &Finding) {
    let Some(waiter) = finding.waiter.as_ref().filter(|waiter| !waiter.stack.is_empty()) else {
        return;
    };
    let frames: String = waiter
        .stack
        .iter()
        .map(|frame| format!("<li><code>{}</code></li>", escape(frame)))
        .collect();
    let _ = write!(
        out,
        "<details class=\"stack\"><summary>Stack of the waiter, {}</summary><ol start=\"0\">{frames}</ol></details>",
        words::count(waiter.stack.len(), "frame"),
    );
}

fn also_waiting(out: &mut String, finding: &Finding) {
    if finding.also_waiting.is_empty() {
        return;
    }
    let open = if finding.also_waiting.len() <= ALSO_WAITING_OPEN { " open" } else { "" };
    let waiters: String =
        finding.also_waiting.iter().map(|waiter| format!("<li>{}</li>", place(waiter))).collect();
    let _ = write!(
        out,
        "<details class=\"also\"{open}><summary>{} for the same root</summary><ul>{waiters}</ul></details>",
        match finding.also_waiting.len() {
            1 => "1 other waits".to_owned(),
            others => format!("{others} others wait"),
        },
    );
}

fn agent_row(agent: &AgentSummary, stuck: &str) -> String {
    let number = |id: u32| if id == 0 { "–".to_owned() } else { id.to_string() };
    let since = agent.since_ms.map_or_else(|| "–".to_owned(), words::duration);
    let call = agent.call.as_deref().filter(|call| !call.is_empty()).unwrap_or("–");
    let state = match agent.state.as_str() {
        state if !agent.wedged => escape(state),
        "waiting" => format!("<span class=\"stuck\">{stuck}</span>"),
        state => format!("{}, <span class=\"stuck\">{stuck}</span>", escape(state)),
    };
    format!(
        "<tr role=\"row\"{class}><th role=\"rowheader\" scope=\"row\">{name}</th>\
         <td role=\"cell\" data-name=\"Kind\">{kind}</td>\
         <td role=\"cell\" data-name=\"Process\">{pid}</td>\
         <td role=\"cell\" data-name=\"Thread\">{tid}</td>\
         <td role=\"cell\" data-name=\"State\"><span>{state}</span></td>\
         <td role=\"cell\" data-name=\"Call\"><code>{call}</code></td>\
         <td role=\"cell\" data-name=\"For\" class=\"number\">{since}</td></tr>\n",
        class = if agent.wedged { " class=\"wedged\"" } else { "" },
        name = escape(&words::agent(agent)),
        kind = words::agent_kind(agent.kind),
        pid = number(agent.pid),
        tid = number(agent.tid),
        call = escape(call),
        since = escape(&since),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    /// All pages there are, by name.
    fn pages() -> Vec<(&'static str, String)> {
        let run = samples::all().into_iter();
        let run = run.map(|sample| (sample.name, html(&sample.report, &sample.recording)));
        let traces = samples::traces::all().into_iter();
        let traces =
            traces.map(|sample| (sample.name, trace_html(&sample.report, &sample.recording)));
        run.chain(traces).collect()
    }

    #[test]
    fn names_from_outside_are_never_markup() {
        for (name, page) in pages().iter().filter(|(name, _)| name.contains("hostile")) {
            assert!(!page.contains("<script"), "{name}: a script got in");
            assert!(!page.contains("<img"), "{name}: an image got in");
            assert!(!page.contains("\" onload="), "{name}: an attribute got in");
            assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{name}");
        }
    }

    #[test]
    fn the_page_loads_nothing() {
        for (name, page) in pages() {
            for load in ["http://", "https://", " src=\"", "@import", "<link", "url(//", "<script"]
            {
                assert!(!page.contains(load), "{name}: {load}");
            }
        }
    }

    #[test]
    fn findings_nodes_and_agents_are_all_there() {
        for sample in samples::all().into_iter().chain([samples::traces::missing_vsync()]) {
            let page = html(&sample.report, &sample.recording);
            for finding in &sample.report.findings {
                assert!(page.contains(&format!("<span class=\"code\">{}</span>", finding.code)));
                assert!(page.contains(&escape(&finding.sentence)), "{}", sample.name);
            }
            for node in &sample.report.graph.nodes {
                assert!(page.contains(&format!("data-node=\"{}\"", escape(&node.id))));
            }
            for agent in &sample.report.agents {
                assert!(page.contains(&format!("data-agent=\"{}\"", agent.agent)));
            }
        }
    }

    #[test]
    fn counts_are_for_traces_only() {
        let sample = samples::traces::missing_vsync();
        let run = html(&sample.report, &sample.recording);
        let trace = trace_html(&sample.report, &sample.recording);
        for told in ["Wedge map", "65,691,821", "Of a large trace, only"] {
            assert!(trace.contains(told), "{told}");
            // The report inside the page has the numbers as they are.
            assert!(!run.contains(told), "{told}");
        }
        // A trace without events has nothing to count.
        let sample = samples::traces::nothing();
        assert!(!trace_html(&sample.report, &sample.recording).contains("Wedge map"));
    }

    #[test]
    fn a_crowd_is_cut_and_those_who_are_stuck_are_shown() {
        let sample = samples::traces::crowd(100_000);
        let page = trace_html(&sample.report, &sample.recording);
        assert!(page.len() < 2_000_000, "{}", page.len());
        assert_eq!(page.matches("data-agent=").count(), AGENTS_MAX);
        for agent in sample.report.agents.iter().filter(|agent| agent.wedged) {
            assert!(page.contains(&format!("data-agent=\"{}\"", agent.agent)), "{}", agent.agent);
        }
        let told = format!("And 99,700 more: {ORDER}.");
        assert_eq!(page.matches(&told).count(), 2, "of the timeline and of the table");
    }

    #[test]
    fn every_tag_that_is_opened_is_closed() {
        for (name, page) in pages() {
            let tags =
                ["html", "body", "main", "article", "section", "div", "ol", "ul", "li", "svg", "g"];
            let inside = ["table", "thead", "tbody", "tr", "td", "th", "details", "summary"];
            let text = ["span", "p", "text", "i", "b", "code", "title", "dl", "dt", "dd"];
            for tag in tags.iter().chain(&inside).chain(&text) {
                let opened = page.matches(&format!("<{tag} ")).count()
                    + page.matches(&format!("<{tag}>")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag} {name}");
            }
        }
    }
}
