using Grpc.Net.Client;
using GrpcShm.EventBus;
using Polly;

namespace Samples.Stress.Roles;

/// <summary>How producers and consumers join the bus.</summary>
internal static class StressBus
{
    /// <summary>A hub that is killed is back within seconds; on a busy machine that may take longer.</summary>
    private static readonly TimeSpan ConnectTime = TimeSpan.FromMinutes(5);

    public static string ConsumerId(int index) => $"consumer-{index}";

    public static string ProducerId(int index) => $"producer-{index}";

    public static EventClient Create(GrpcChannel channel, string name) => new(channel, new EventBusClientOptions
    {
        Name = name,
        ConnectTimeout = ConnectTime,

        // A lane that fails goes back to what was not acknowledged: to try one event again by itself would overtake
        // others.
        SendPipeline = ResiliencePipeline.Empty,
    });
}
