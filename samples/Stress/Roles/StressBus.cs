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

    private static readonly TimeSpan TakeOverPause = TimeSpan.FromMilliseconds(50);

    public static string ConsumerId(int index) => $"consumer-{index}";

    public static string ProducerId(int index) => $"producer-{index}";

    public static EventClient Create(ChannelBase channel, string name, bool usesLanes) =>
        new(channel, new EventBusClientOptions
    {
        Name = name,
        Lanes = usesLanes ? new SharedMemoryLanes() : null,
        ConnectTimeout = ConnectTime,
        AcknowledgementTimeout = SendTime,

        // A track that fails goes back to the first event without an acknowledgement. If the client repeated a single
        // event, this event would overtake others.
        SendPipeline = ResiliencePipeline.Empty,
    });

    /// <summary>Registers a machine as soon as the hub knows that the machine's last life has ended.</summary>
    public static async Task JoinAsync(
        EventClient bus, string machineId, Func<BusEvent, Task> handler, MachineOptions options, Task gone)
    {
        while (!gone.IsCompleted)
        {
            try
            {
                await bus.RegisterMachineAsync(machineId, handler, options);
                return;
            }
            catch (EventBusException exception)
                when (exception.StatusCode is StatusCode.AlreadyExists or StatusCode.Unavailable)
            {
                // The hub has not noticed yet that the machine's last life has ended, or the hub itself does not run.
                await Task.WhenAny(gone, Task.Delay(TakeOverPause));
            }
        }
    }
}
