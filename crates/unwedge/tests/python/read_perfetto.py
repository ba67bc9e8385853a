"""Reads a Perfetto trace by Perfetto's own definition and prints what is in it, as JSON.

usage: read_perfetto.py TRACE
"""

import json
import sys

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as perfetto

Event = perfetto.TrackEvent
trace = perfetto.Trace()
trace.ParseFromString(open(sys.argv[1], "rb").read())


def unknown(message):
    """Fields that the definition does not have."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    found = len(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.message_type:
            repeated = value if hasattr(value, "add") else [value]
            found += sum(unknown(part) for part in repeated)
    return found


names, tracks, events, cleared = {}, {}, [], 0
for packet in trace.packet:
    cleared += bool(packet.sequence_flags & perfetto.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED)
    for name in packet.interned_data.event_names:
        names[name.iid] = name.name
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        thread = track.thread
        tracks[track.uuid] = (
            f"{thread.pid}/{thread.tid} {thread.thread_name}" if track.HasField("thread") else track.name
        )
        if track.parent_uuid:
            tracks[track.uuid] = f"{tracks[track.parent_uuid]}: {track.name}"
    if packet.HasField("track_event"):
        events.append((packet.timestamp, packet.track_event))

# As a trace processor does: by time, those of one time as they come.
events.sort(key=lambda event: event[0])
open_slices, slices, instants, leaving, flows, wrong = {}, [], [], {}, [], []
for at, event in events:
    track = tracks.get(event.track_uuid)
    name = names.get(event.name_iid, event.name)
    stack = open_slices.setdefault(event.track_uuid, [])
    if track is None:
        wrong.append(f"no track {event.track_uuid}")
    if event.type == Event.TYPE_SLICE_BEGIN:
        stack.append((at, name))
    elif event.type == Event.TYPE_INSTANT:
        instants.append([track, at, name])
    elif event.type == Event.TYPE_SLICE_END and stack:
        since, name = stack.pop()
        notes = [f"{note.name}: {note.string_value or note.bool_value}" for note in event.debug_annotations]
        slices.append([track, since, at, name, *notes])
    else:
        wrong.append(f"an end without a beginning at {at}")
    for flow in event.flow_ids:
        leaving[flow] = (at, track, name)
    for flow in event.terminating_flow_ids:
        if flow in leaving:
            flows.append([*leaving.pop(flow), at, track, name])
        else:
            wrong.append(f"an arrow to {track} from nowhere at {at}")
wrong += [f"{len(stack)} slices without an end" for stack in open_slices.values() if stack]
report = {"tracks": sorted(tracks.values()), "slices": slices, "instants": instants, "flows": flows}
print(json.dumps({**report, "wrong": wrong, "cleared": cleared, "unknown": unknown(trace)}, indent=1))
