using System.Text.Json;
using Grpc.Core;
using GrpcShm.EventBus;

namespace Samples.WaferFab.Messages;

/// <summary>Connects each process of the fab to the event bus.</summary>
internal static class FabBus
{
    public static EventClient Create(ChannelBase channel, string name) => new(channel, new EventBusClientOptions
    {
        Name = name,
        ConnectTimeout = SampleProcess.StartTime,

        // A step is acknowledged when it is done. The stall watch notices earlier if nothing happens any more.
        AcknowledgementTimeout = TimeSpan.FromMinutes(5),
        Json = new JsonSerializerOptions(JsonSerializerDefaults.Web) { TypeInfoResolver = MessageContext.Default },
    });
}
