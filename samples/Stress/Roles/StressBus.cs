using Grpc.Core;
using GrpcShm.EventBus;
using Polly;

namespace Samples.Stress.Roles;

/// <summary>Connects producers and consumers to the bus.</summary>
internal static class StressBus
{
    /// <summary>A killed hub is started again within seconds; on a busy machine it may take longer.</summary>
    private static readonly TimeSpan ConnectTime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a send may take that nothing has lost: as long as a consumer may stand still on a busy machine. The
    /// hub has the same limit.
    /// </summary>
    public static TimeSpan SendTime { get; } = TimeSpan.FromMinutes(5);

    public static string ConsumerId(int index) => $"consumer-{index}";

    public static string ProducerId(int index) => $"producer-{index}";

    public static EventClient Create(ChannelBase channel, string name) => new(channel, new EventBusClientOptions
    {
        Name = name,
        ConnectTimeout = ConnectTime,
        AcknowledgementTimeout = SendTime,

        // A lane that fails goes back to the first event without an acknowledgement. If the client repeated a single
        // event, this event would overtake others.
        SendPipeline = ResiliencePipeline.Empty,
    });
}
