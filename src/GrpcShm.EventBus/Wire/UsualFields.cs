using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>What encoders keep to when they write the fields of an event and of the messages within it.</summary>
internal static class UsualFields
{
    /// <summary>True if a known field comes for the first time. Others may come as often as they like.</summary>
    /// <param name="tag">The field's tag.</param>
    /// <param name="seen">The known fields that came before, one bit for each number.</param>
    public static bool IsFirst(uint tag, ref uint seen)
    {
        var number = (int)(tag >> 3);
        if (number > Event.GroupFieldNumber)
        {
            return true;
        }

        var before = seen;
        seen |= 1u << number;
        return before != seen;
    }

    /// <summary>Reads a text, which encoders leave out if it is empty.</summary>
    public static bool IsText(ref FieldReader reader) => reader.TryReadText(out var text) && !text.IsEmpty;
}
