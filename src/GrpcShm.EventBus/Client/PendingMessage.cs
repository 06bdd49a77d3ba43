using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>A command that sends no event. Its message is encoded when it is written.</summary>
internal sealed class PendingMessage(SessionCommand command) : PendingCommand
{
    private const byte NumberTag = SessionCommand.NumberFieldNumber << 3;

    /// <summary>The command, without its number.</summary>
    public SessionCommand Command { get; } = command;

    public override ulong Number { get; set; }

    public override int Size { get; } = command.CalculateSize() + Numbers;

    /// <summary>
    /// The receiver that ends if this command fails, and stands once the command has subscribed; or none.
    /// </summary>
    public EventReceiver? Receiver { get; init; }

    /// <summary>
    /// Called with the outcome when the hub has answered it; none for success. The session's reading thread calls it.
    /// Nobody calls it if the session ends first.
    /// </summary>
    public Action<Outcome?>? Answered { get; init; }

    // The hub carries a fence out when the target's process acknowledges it.
    public override bool WantsMore => Command.CommandCase == SessionCommand.CommandOneofCase.Fence;

    public override int CalculateSize(ulong number) => FieldWriter.SizeWithTag(LengthWith(number));

    public override void WriteTo(ref FieldWriter writer, ulong number)
    {
        writer.WriteVarint(OutgoingCommand.Tag, (ulong)LengthWith(number));
        if (number != 0)
        {
            writer.WriteVarint(NumberTag, number);
        }

        writer.Write(Command);
    }

    private int LengthWith(ulong number) =>
        (number == 0 ? 0 : 1 + FieldWriter.SizeOf(number)) + Command.CalculateSize();
}
