using System.Text.Json;
using Grpc.Net.Client;
using GrpcShm.EventBus;

namespace Samples.WaferFab.Messages;

/// <summary>Connects each process of the fab to the event bus.</summary>
internal static class FabBus
{
    public static EventClient Create(GrpcChannel channel, string name) => new(channel, new EventBusClientOptions
    {
        Name = name,
        Json = new JsonSerializerOptions(JsonSerializerDefaults.Web) { TypeInfoResolver = MessageContext.Default },
    });
}
