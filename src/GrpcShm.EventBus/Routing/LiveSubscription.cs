using GrpcShm.EventBus.Registry;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>A subscription that stands, and what is needed to end it.</summary>
internal sealed record LiveSubscription(Subscription Filter, Subscriber Subscriber, MachineEntry? Machine);
