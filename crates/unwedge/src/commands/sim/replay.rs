//! How is a way into a wedge kept, and taken again? As JSON that names world, switches and steps.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use unwedge_sim::World;
use unwedge_sim::scenarios::Size;

use super::chosen::Chosen;
use super::explore::{Wedged, print};
use super::way::{Way, steps_from_json, steps_to_json};
use super::{Sim, trace};
use crate::commands::explain;
use crate::error::Error;
use crate::output::Target;

/// The version of the format.
const VERSION: u64 = 1;
/// Longest replay. Bytes.
const BYTES_MAX: u64 = 64 << 20;

/// What says which world it is; `form` names what it is the beginning of.
pub(super) fn header(form: &str, chosen: &Chosen, world: &World) -> Value {
    let switches = chosen.settings.iter();
    let switches: Map<String, Value> = switches
        .map(|(switch, value)| (switch.name.to_owned(), value.to_string().into()))
        .collect();
    json!({
        form: VERSION,
        "version": env!("CARGO_PKG_VERSION"),
        "scenario": chosen.scenario.name,
        "size": "small",
        "switches": switches,
        "faults_max": world.faults_max(),
    })
}

/// A way as a replay.
pub(super) fn to_text(chosen: &Chosen, world: &World, way: &Way, words: &[String]) -> String {
    let (path, then) = words.split_at(way.path.len());
    let mut replay = header("unwedge_replay", chosen, world);
    replay["steps"] = steps_to_json(&way.path, path);
    replay["then"] = steps_to_json(&way.then, then);
    replay["back_to"] = json!(way.back_to);
    format!("{replay:#}\n")
}

/// Takes the steps of a replay again.
///
/// # Errors
/// When it is none, or not one of these worlds.
pub(super) fn execute(sim: &Sim, path: &Path) -> Result<ExitCode, Error> {
    let json = sim.json.as_deref().map(|path| Target::open("--json", path)).transpose()?;
    let kept = Kept::read(path)?;
    let chosen = kept.chosen()?;
    let mut world = chosen.world(Size::Small)?;
    world.set_faults_max(kept.faults_max()?);
    let (way, words) = kept.way()?;
    let taken = way.take(&world).map_err(|number| kept.bad_step(number, &words))?;
    if let Some(number) = (1..)
        .zip(taken.words.iter().zip(&words))
        .find_map(|(number, (now, then))| (!then.is_empty() && now != then).then_some(number))
    {
        return Err(kept.bad_step(number, &words));
    }
    let wedged = Wedged::new(&way, taken, chosen.source(" --replay"));
    if !matches!(json, Some(Target::Stdout)) {
        print(&wedged.text());
    }
    if let Some(target) = json {
        let mut answer = header("unwedge_replayed", &chosen, &world);
        wedged.add_to(&mut answer);
        target.write("answer", format!("{answer:#}\n").as_bytes());
    }
    if let Some(path) = &sim.out {
        trace::write(path, sim.force, &wedged.source, &wedged.taken.batch, wedged.taken.end)?;
    }
    Ok(ExitCode::from(explain::status(&wedged.examination.report)))
}

/// A replay as it lies in its file.
struct Kept<'p> {
    path: &'p Path,
    replay: Value,
}

impl<'p> Kept<'p> {
    fn read(path: &'p Path) -> Result<Self, Error> {
        let fail = |why: String| {
            bad(path, why, "a replay is written by unwedge sim NAME --explore --replay-out FILE")
        };
        let mut text = Vec::new();
        let file = File::open(path).map_err(|error| fail(error.to_string()))?;
        let read = file.take(BYTES_MAX + 1).read_to_end(&mut text);
        read.map_err(|error| fail(error.to_string()))?;
        if text.len() as u64 > BYTES_MAX {
            return Err(fail("it is too long to be a replay".to_owned()));
        }
        let replay: Value = serde_json::from_slice(&text).unwrap_or_default();
        let Some(version) = replay.get("unwedge_replay") else {
            return Err(fail("it is not a replay".to_owned()));
        };
        let again = "explore again with this version";
        if *version != VERSION {
            let why = format!(
                "it is a replay of format version {version}, this program reads version {VERSION}"
            );
            return Err(bad(path, why, again));
        }
        let made_by = replay.get("version").and_then(Value::as_str).unwrap_or("unknown");
        let ours = env!("CARGO_PKG_VERSION");
        if made_by != ours {
            let why = format!(
                "it is a replay of version {made_by:?}, and this is version {ours}, whose worlds may be others"
            );
            return Err(bad(path, why, again));
        }
        Ok(Self { path, replay })
    }

    /// The scenario and its switches.
    fn chosen(&self) -> Result<Chosen, Error> {
        let name = self.replay.get("scenario").and_then(Value::as_str);
        let name = name.ok_or_else(|| self.incomplete("scenario"))?;
        let switches = self.replay.get("switches").and_then(Value::as_object);
        let switches = switches.ok_or_else(|| self.incomplete("switches"))?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let switches: Vec<_> =
            switches.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        Chosen::new(Some(name), &switches).map_err(|error| match error {
            Error::Sim { why, hint } => bad(self.path, why, hint),
            other => other,
        })
    }

    fn faults_max(&self) -> Result<u8, Error> {
        let most = self.replay.get("faults_max").and_then(Value::as_u64);
        most.and_then(|most| u8::try_from(most).ok()).ok_or_else(|| self.incomplete("faults_max"))
    }

    /// The steps, and what they were in words.
    fn way(&self) -> Result<(Way, Vec<String>), Error> {
        let steps = |field: &str| {
            let steps = steps_from_json(self.replay.get(field).unwrap_or(&Value::Null));
            steps.map(|steps| steps.into_iter().unzip()).ok_or_else(|| self.incomplete(field))
        };
        let ((path, mut words), (then, more)): ((_, Vec<_>), (Vec<_>, Vec<_>)) =
            (steps("steps")?, steps("then")?);
        words.extend(more);
        let back_to = match self.replay.get("back_to") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let place = value.as_u64().and_then(|place| usize::try_from(place).ok());
                let place = place.filter(|place| *place < then.len());
                Some(place.ok_or_else(|| self.incomplete("back_to"))?)
            }
        };
        Ok((Way { path, then, back_to }, words))
    }

    fn incomplete(&self, field: &str) -> Error {
        bad(
            self.path,
            format!("it is no whole replay: its {field:?} cannot be read"),
            "explore again",
        )
    }

    fn bad_step(&self, number: usize, words: &[String]) -> Error {
        let words = words.get(number - 1).filter(|words| !words.is_empty());
        let words =
            words.map_or(String::new(), |words| format!(" ({:?})", crate::report::clean(words)));
        let why = format!("step {number}{words} cannot be taken in this world");
        bad(self.path, why, "was the file changed? explore again")
    }
}

fn bad(path: &Path, why: String, hint: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::Input { path: path.to_owned(), why, hint: hint.into() }
}
