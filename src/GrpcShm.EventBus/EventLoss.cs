namespace GrpcShm.EventBus;

/// <summary>Says that a subscription of this client lost events because its mailbox was full.</summary>
/// <param name="Subscription">The machine, or what else was subscribed to.</param>
/// <param name="Dropped">How many events it lost since it began, or since the last connection did.</param>
public sealed record EventLoss(string Subscription, long Dropped);
