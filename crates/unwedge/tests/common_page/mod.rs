//! Does a report's page show in a real browser what it must? Headless Chromium renders it, at the width
//! of a desk and of a phone, and what it measured is compared with the report inside the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Chromium renders a page in a second or two; far more than that is a failure of its own.
const RENDER_TIME_MAX: Duration = Duration::from_secs(90);
/// The widths that the page must fit, in CSS pixels.
const WIDTHS: [u32; 2] = [1200, 360];
/// Of more agents than these only the first are drawn.
const AGENTS_DRAWN_MAX: usize = 300;
/// Set, a missing browser is an error and not a skip that says so.
const REQUIRED: &str = "UNWEDGE_REQUIRE_BROWSER";

/// Renders the page at `html` and checks it: the finding `code` and its sentence are visible, the
/// wait graph has every node of the report and none on top of another, the timeline has a row for every agent,
/// nothing is wider than a phone, nothing is loaded, and the browser complains about nothing.
///
/// An empty `code` stands for a report without findings. Without a browser it says so on standard
/// error and checks only what can be read in the file.
///
/// # Errors
/// What is wrong with the page, or why it could not be rendered.
pub(crate) fn check(html: &Path, code: &str) -> Result<(), String> {
    let page = fs::read_to_string(html).map_err(|error| format!("{}: {error}", html.display()))?;
    let report = embedded_report(&page)?;
    let sentence = sentence(&report, code)?;
    let Some(browser) = browser() else {
        let skip = format!("no chromium in PATH: {} was not rendered", html.display());
        eprintln!("skipped: {skip}");
        return if std::env::var_os(REQUIRED).is_some() { Err(skip) } else { Ok(()) };
    };
    let desk = Desk::new()?;
    // By itself, as a reader opens it: its own policy and address apply.
    let rendered = desk.render(&browser, html)?;
    if !rendered.contains("id=\"wait-graph\"") && !nodes(&report).is_empty() {
        return Err("the rendered page has no wait graph".to_owned());
    }
    let frame = desk.folder.join("frame.html");
    fs::write(&frame, frame_page(&page)).map_err(|error| error.to_string())?;
    let measured = element(&desk.render(&browser, &frame)?, "measured")?;
    let measured: Value = serde_json::from_str(&measured)
        .map_err(|error| format!("the page could not be measured: {error}: {measured}"))?;
    for width in WIDTHS {
        check_width(&measured[width.to_string()], &report, code, &sentence)
            .map_err(|error| format!("{width} px wide: {error}"))?;
    }
    Ok(())
}

/// Whether there is no browser, so that nothing can be seen; says so if it is.
#[allow(dead_code, reason = "not every suite that includes this file asks")]
pub(crate) fn check_is_blind() -> bool {
    let blind = browser().is_none() && std::env::var_os(REQUIRED).is_none();
    if blind {
        eprintln!("skipped: no chromium in PATH, and {REQUIRED} is not set");
    }
    blind
}

/// The report that the page carries.
fn embedded_report(page: &str) -> Result<Value, String> {
    let text = element(page, "report-json")?;
    serde_json::from_str(&text).map_err(|error| format!("the page's report is no JSON: {error}"))
}

fn sentence(report: &Value, code: &str) -> Result<String, String> {
    let findings = report["findings"].as_array().ok_or("the report has no list of findings")?;
    if code.is_empty() {
        return match findings.first() {
            None => Ok(String::new()),
            Some(found) => Err(format!("no finding was expected, there is {}", found["code"])),
        };
    }
    let found = findings.iter().find(|finding| finding["code"] == code);
    let found = found.ok_or_else(|| format!("the report has no finding {code}"))?;
    Ok(found["sentence"].as_str().unwrap_or_default().to_owned())
}

fn nodes(report: &Value) -> &[Value] {
    report["graph"]["nodes"].as_array().map_or(&[], Vec::as_slice)
}

fn check_width(measured: &Value, report: &Value, code: &str, sentence: &str) -> Result<(), String> {
    if measured.is_null() {
        return Err("was not measured".to_owned());
    }
    let text = squeezed(measured["text"].as_str().unwrap_or_default());
    for wanted in [code, sentence] {
        if !text.contains(&squeezed(wanted)) {
            return Err(format!("{wanted:?} is not visible"));
        }
    }
    let agents = report["agents"].as_array().map_or(0, Vec::len);
    for (what, there, wanted) in [
        ("nodes", nodes(report).len(), nodes(report).len()),
        ("rows", agents, agents.min(AGENTS_DRAWN_MAX)),
    ] {
        let drawn = measured[what].as_u64().unwrap_or_default();
        if drawn != wanted as u64 {
            return Err(format!("{drawn} {what} are drawn, the report has {there}"));
        }
    }
    let pixels = |what: &str| measured[what].as_f64().unwrap_or(f64::NAN);
    let fits = pixels("scroll_width") <= pixels("client_width");
    if !fits {
        let (scroll, client) = (pixels("scroll_width"), pixels("client_width"));
        return Err(format!("content {scroll} px in {client} px; widest: {}", measured["widest"]));
    }
    for (what, problem) in
        [("overlaps", "nodes overlap"), ("loads", "something is loaded"), ("errors", "errors")]
    {
        if measured[what].as_array().is_none_or(|list| !list.is_empty()) {
            return Err(format!("{problem}: {}", measured[what]));
        }
    }
    Ok(())
}

/// One space for every stretch of white.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The content of the element with this id, as text. The element contains no other.
fn element(page: &str, id: &str) -> Result<String, String> {
    let missing = || format!("the page has no element {id:?}");
    let at = page.find(&format!("id=\"{id}\"")).ok_or_else(missing)?;
    let (_, content) = page[at..].split_once('>').ok_or_else(missing)?;
    let (content, _) = content.split_once('<').ok_or_else(missing)?;
    Ok([("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(content.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain)))
}

/// A page that shows `page` in a frame of each width and writes down what it sees.
fn frame_page(page: &str) -> String {
    // A script element ends at the first `</script`, also inside of a string.
    let quoted = Value::from(page).to_string().replace('<', "\\u003c");
    format!(
        "<!doctype html><meta charset=utf-8><pre id=\"measured\"></pre>\n\
         <script>const page = {quoted};\nconst widths = {WIDTHS:?};\n{MEASURE}</script>"
    )
}

const MEASURE: &str = r#"
const all = {};
const name = (e) => e ? e.tagName + '.' + (e.getAttribute('class') || e.id) : null;
// A tool for hangs must open where there is no network, and must not run what a trace contains.
const loads = (e) => /^(script|link|img|iframe|object|embed)$/i.test(e.tagName)
  || e.hasAttribute('src') || !(e.getAttribute('href') || '#').startsWith('#')
  || (e.tagName === 'STYLE' && /@import|url\(\s*["']?(?!#|data:)/.test(e.textContent));
function measure(frame) {
  const doc = frame.contentDocument, root = doc.documentElement;
  const shown = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0; };
  const nodes = [...doc.querySelectorAll('#wait-graph [data-node]')].filter(shown);
  const boxes = nodes.map((e) => [e.dataset.node, e.querySelector('.box').getBoundingClientRect()]);
  const overlaps = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1)
      overlaps.push(a + ' ' + b);
  }));
  const scrolls = (e) => { for (; e; e = e.parentElement) {
    if (/auto|scroll|hidden/.test(frame.contentWindow.getComputedStyle(e).overflowX)) return true; } };
  const widest = [...doc.body.querySelectorAll('*')].filter((e) => !scrolls(e))
    .sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)[0];
  return {
    text: doc.body.innerText, nodes: nodes.length, overlaps,
    rows: [...doc.querySelectorAll('#timeline [data-agent]')].filter(shown).length,
    scroll_width: Math.max(root.scrollWidth, doc.body.scrollWidth), client_width: root.clientWidth,
    widest: name(widest), errors: frame.errors,
    loads: [...doc.querySelectorAll('[src], [href], [data], script, style')].filter(loads).map(name),
  };
}
const waiting = widths.map((width) => new Promise((done) => {
  const frame = document.createElement('iframe');
  frame.style.cssText = `border:0;width:${width}px;height:900px`;
  frame.errors = [];
  frame.onload = () => {
    try { all[width] = measure(frame); }
    catch (error) { all[width] = { errors: [String(error)] }; }
    done();
  };
  frame.srcdoc = page;
  document.body.append(frame);
}));
Promise.all(waiting).then(() => {
  document.getElementById('measured').textContent = JSON.stringify(all);
  document.querySelectorAll('iframe, script').forEach((e) => e.remove());
});
"#;

/// The first of the usual names that `PATH` has.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    names.iter().find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    })
}

/// A folder for one check, removed after it.
struct Desk {
    folder: PathBuf,
}

impl Desk {
    fn new() -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("unwedge-page-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The document as it stands once the page has settled.
    fn render(&self, browser: &Path, page: &Path) -> Result<String, String> {
        let (out, err) = (self.folder.join("out"), self.folder.join("err"));
        let file = |path: &Path| fs::File::create(path).map_err(|error| error.to_string());
        let page = page.canonicalize().map_err(|error| format!("{}: {error}", page.display()))?;
        let mut child = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr"])
            .args(["--virtual-time-budget=5000", "--window-size=1280,1000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", self.folder.join("profile").display()))
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .stdout(file(&out)?)
            .stderr(file(&err)?)
            .spawn()
            .map_err(|error| format!("{}: {error}", browser.display()))?;
        let status = wait(&mut child)?;
        let read =
            |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let said = read(&err).map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("{} ended with {status}: {said}", browser.display()));
        }
        match said.lines().find(|line| line.contains("CONSOLE")) {
            Some(line) => Err(format!("the browser's console says: {line}")),
            None => read(&out).map_err(|error| error.to_string()),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn wait(child: &mut std::process::Child) -> Result<ExitStatus, String> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        if began.elapsed() > RENDER_TIME_MAX {
            // It may have ended by itself in the meantime.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the browser was not done after {RENDER_TIME_MAX:?}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
