using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A command of a session's request: one that waits for its answer, or one that nobody waits for.</summary>
/// <param name="Pending">The command that waits, which has its number already; or none.</param>
/// <param name="Note">The command that nobody waits for, if it is none that waits.</param>
internal readonly record struct OutgoingCommand(PendingCommand? Pending, SessionCommand? Note)
{
    /// <summary>The tag of a command in a request.</summary>
    public const byte Tag = (SessionRequest.CommandsFieldNumber << 3) | 2;

    // The next session gives the command another number, perhaps while a write of this one still reads the request.
    private readonly ulong _number = Pending?.Number ?? 0;

    /// <summary>How many bytes it has in a request, with its tag and its length.</summary>
    public int CalculateSize() => Pending?.CalculateSize(_number) ?? FieldWriter.SizeWithTag(Note!.CalculateSize());

    /// <summary>Writes it as a field of a request.</summary>
    public void WriteTo(ref FieldWriter writer)
    {
        if (Pending is not null)
        {
            Pending.WriteTo(ref writer, _number);
        }
        else
        {
            writer.Write(Tag, Note!);
        }
    }
}
