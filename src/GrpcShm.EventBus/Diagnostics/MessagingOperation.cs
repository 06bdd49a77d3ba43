using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>An operation on an event, in the words of OpenTelemetry's conventions for messaging.</summary>
/// <param name="Name">The name of the operation here.</param>
/// <param name="Type">The type of the operation, as the conventions name it.</param>
/// <param name="Destination">
/// The machine or the group that the event is for; empty if it has no single destination.
/// </param>
internal readonly record struct MessagingOperation(string Name, string Type, string Destination)
{
    private const string SendType = "send";
    private const string ProcessType = "process";

    /// <summary>The name of its span: its name with its destination.</summary>
    public string SpanName => Destination.Length > 0 ? $"{Name} {Destination}" : Name;

    public static MessagingOperation Send(string target) => new(SendType, SendType, target);

    public static MessagingOperation Publish(Publication publication) => new(
        "publish", SendType, publication.Group.Length > 0 ? publication.Group : publication.MachinePattern);

    public static MessagingOperation Process(string target) => new(ProcessType, ProcessType, target);
}
