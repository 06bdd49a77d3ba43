using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>One way for the client's process to reach the server's. A new one is added to <see cref="TransportRegistry"/>.</summary>
internal interface ITransport
{
    string Name { get; }

    string Description { get; }

    /// <summary>What the server is told to listen on; files go into <paramref name="directory"/>.</summary>
    string ChooseAddress(string directory);

    /// <summary>Server process: makes the host listen on the address.</summary>
    void ConfigureServer(WebApplicationBuilder builder, string address);

    /// <summary>Server process, once it listens: what a client connects to.</summary>
    string GetBoundAddress(WebApplication application, string address) => address;

    /// <summary>Client process: a channel of its own connection.</summary>
    ChannelBase CreateChannel(string address);
}
