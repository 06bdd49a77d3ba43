namespace GrpcShm.EventBus;

/// <summary>Says that a machine or a subscription could not be restored after a reconnection, and is gone.</summary>
/// <param name="Subscription">The machine, or a description of the other subscription.</param>
/// <param name="Exception">The hub's reason: for example that another process has the machine's id now.</param>
public sealed record MachineLoss(string Subscription, EventBusException Exception);
