namespace GrpcShm.EventBus;

/// <summary>Says that a subscription of this process lost events because its mailbox was full.</summary>
/// <param name="Subscription">The machine, or a description of the other subscription.</param>
/// <param name="Dropped">How many events it lost since it began, or since the last connection began.</param>
public sealed record EventLoss(string Subscription, long Dropped);
