using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Checks the messages within an event as the generated parser would. What is malformed or not usual is not taken: then
/// the generated parser has to decide about the whole event.
/// </summary>
internal static class NestedMessages
{
    public static bool IsHeader(ReadOnlySpan<byte> header)
    {
        var reader = new FieldReader(header);
        while (!reader.IsAtEnd)
        {
            var isWell = reader.TryReadTag(out var tag) && tag switch
            {
                (Header.NameFieldNumber << 3) | 2 or (Header.ValueFieldNumber << 3) | 2 => reader.TryReadText(out _),
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
        var reader = new FieldReader(change);
        while (!reader.IsAtEnd)
        {
            var isWell = reader.TryReadTag(out var tag) && tag switch
            {
                (StateChange.OldStateFieldNumber << 3) | 2
                    or (StateChange.NewStateFieldNumber << 3) | 2
                    or (StateChange.TransitionFieldNumber << 3) | 2
                    or (StateChange.ContextContentTypeFieldNumber << 3) | 2
                    or (StateChange.ContextTypeNameFieldNumber << 3) | 2 => reader.TryReadText(out _),
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
