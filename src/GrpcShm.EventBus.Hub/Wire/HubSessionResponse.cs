using System.Buffers;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="SessionResponse"/> whose events and replies are forwarded.</summary>
/// <param name="rest">The response, without deliveries and outcomes.</param>
internal sealed class HubSessionResponse(SessionResponse rest) : ForwardingResponse(rest)
{
    /// <summary>What the response has beside its deliveries and outcomes.</summary>
    public SessionResponse Rest { get; } = rest;

    /// <summary>The outcomes, in order.</summary>
    public List<OutgoingOutcome> Outcomes { get; } = [];

    public override int CalculateSize()
    {
        var size = base.CalculateSize();
        foreach (var outcome in Outcomes)
        {
            size += outcome.CalculateSize();
        }

        return size;
    }

    public override void WriteTo(IBufferWriter<byte> output)
    {
        base.WriteTo(output);
        foreach (var outcome in Outcomes)
        {
            outcome.WriteTo(output);
        }
    }
}
