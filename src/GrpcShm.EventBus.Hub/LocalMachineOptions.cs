using Polly;

namespace GrpcShm.EventBus;

/// <summary>
/// How the hub's own process sends, encodes and decodes. Set it by
/// <c>services.Configure&lt;LocalMachineOptions&gt;(…)</c>, beside <c>services.AddEventBus()</c>.
/// </summary>
public sealed class LocalMachineOptions : PayloadOptions
{
    /// <summary>
    /// How many sends of the hub's own process may wait for room or for an acknowledgement. One more fails at once with
    /// <c>ResourceExhausted</c>.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 65,536.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxPendingSends
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 65_536;

    /// <summary>
    /// Runs the sends that wait for an acknowledgement later than <c>Accepted</c>, and the requests. So it decides when
    /// they are tried again.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: the same retries as <see cref="EventBusClientOptions.SendPipeline"/>.
    /// </remarks>
    public ResiliencePipeline? SendPipeline { get; set; }
}
