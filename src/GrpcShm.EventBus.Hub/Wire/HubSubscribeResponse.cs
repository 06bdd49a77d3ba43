using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="SubscribeResponse"/> whose events are forwarded.</summary>
/// <param name="rest">The response, without deliveries.</param>
internal sealed class HubSubscribeResponse(SubscribeResponse rest) : ForwardingResponse(rest)
{
    /// <summary>What the response has beside its deliveries.</summary>
    public SubscribeResponse Rest { get; } = rest;
}
