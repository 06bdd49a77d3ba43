namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// The measured service as a machine in the hub's process, so that an event need not go to a third process.
/// </summary>
internal static class PipeService
{
    public const string EchoMachine = "echo";
    public const string EchoEvent = "ECHO";
    public const string ReplyEvent = "REPLY";

    /// <summary>Answers an event with another event that has the same payload.</summary>
    public static Task Echo(PipeHub hub, PipeEvent received) => hub.RouteAsync(
        new PipeEvent(EchoMachine, received.SourceMachineId, ReplyEvent, received.Payload, DateTime.UtcNow));
}
