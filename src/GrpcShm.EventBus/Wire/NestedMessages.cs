using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Checks the messages within an event as the generated parser would. It takes only what encoders write: each known
/// field once, and no value that need not be written. What is malformed or not usual is not taken: then the generated
/// parser has to decide about the whole event.
/// </summary>
internal static class NestedMessages
{
    public static bool IsHeader(ReadOnlySpan<byte> header)
    {
        var seen = 0u;
        var reader = new FieldReader(header);
        while (!reader.IsAtEnd)
        {
            var isWell = reader.TryReadTag(out var tag) && UsualFields.IsFirst(tag, ref seen) && tag switch
            {
                (Header.NameFieldNumber << 3) | 2 or (Header.ValueFieldNumber << 3) | 2 =>
                    UsualFields.IsText(ref reader),
                _ => reader.TrySkip(tag),
            };
            if (!isWell)
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsStateChange(ReadOnlySpan<byte> change)
    {
        var seen = 0u;
        var reader = new FieldReader(change);
        while (!reader.IsAtEnd)
        {
            var isWell = reader.TryReadTag(out var tag) && UsualFields.IsFirst(tag, ref seen) && tag switch
            {
                (StateChange.OldStateFieldNumber << 3) | 2
                    or (StateChange.NewStateFieldNumber << 3) | 2
                    or (StateChange.TransitionFieldNumber << 3) | 2
                    or (StateChange.ContextContentTypeFieldNumber << 3) | 2
                    or (StateChange.ContextTypeNameFieldNumber << 3) | 2 => UsualFields.IsText(ref reader),
                (StateChange.ContextFieldNumber << 3) | 2 => reader.TryReadBytes(out var context) && !context.IsEmpty,
                StateChange.DurationFieldNumber << 3 => reader.TryReadVarint(out var duration) && duration != 0,
                _ => reader.TrySkip(tag),
            };
            if (!isWell)
            {
                return false;
            }
        }

        return true;
    }
}
