namespace GrpcShm.EventBus;

/// <summary>Says that an event did not get where it was sent.</summary>
/// <param name="SourceMachineId">The machine that sent it; may be empty.</param>
/// <param name="TargetMachineId">The machine that it was for; empty for what was published.</param>
/// <param name="EventName">What it was called.</param>
/// <param name="Exception">Why.</param>
public sealed record EventSendFailure(
    string SourceMachineId, string TargetMachineId, string EventName, EventBusException Exception);
