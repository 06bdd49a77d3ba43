namespace GrpcShm.EventBus;

/// <summary>What came of a send.</summary>
/// <param name="NewState">
/// The target's state after it handled the event; empty if the send did not wait for that or the target did not say.
/// </param>
/// <param name="Reply">The reply, if one was asked for.</param>
public sealed record EventSendResult(string NewState, MachineEvent? Reply);
