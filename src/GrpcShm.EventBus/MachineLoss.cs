namespace GrpcShm.EventBus;

/// <summary>Says that a machine or a subscription could not be restored after a reconnection, and is gone.</summary>
/// <param name="Subscription">The machine, or what else was subscribed to.</param>
/// <param name="Exception">What the hub said: for example that another process has the machine's id now.</param>
public sealed record MachineLoss(string Subscription, EventBusException Exception);
