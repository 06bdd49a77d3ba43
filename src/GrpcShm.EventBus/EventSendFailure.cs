namespace GrpcShm.EventBus;

/// <summary>Says that an event did not get to its target.</summary>
/// <param name="SourceMachineId">The machine that sent it; may be empty.</param>
/// <param name="TargetMachineId">The machine that it was for; empty for a publication.</param>
/// <param name="EventName">The name of the event.</param>
/// <param name="Exception">The cause.</param>
public sealed record EventSendFailure(
    string SourceMachineId, string TargetMachineId, string EventName, EventBusException Exception);
