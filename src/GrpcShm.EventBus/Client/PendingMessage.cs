using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>A command that sends no event. Its message is encoded when it is written.</summary>
internal sealed class PendingMessage(SessionCommand command) : PendingCommand
{
    public SessionCommand Command { get; } = command;

    public override ulong Number
    {
        get => Command.Number;
        set => Command.Number = value;
    }

    public override int Size { get; } = command.CalculateSize() + Numbers;

    /// <summary>
    /// The receiver that ends if this command fails, and stands once the command has subscribed; or none.
    /// </summary>
    public EventReceiver? Receiver { get; init; }

    public override int CalculateSize() => FieldWriter.SizeWithTag(Command.CalculateSize());

    public override void WriteTo(ref FieldWriter writer) => writer.Write(OutgoingCommand.Tag, Command);
}
