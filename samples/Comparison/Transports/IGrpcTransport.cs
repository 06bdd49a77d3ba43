using Grpc.Core;
using GrpcShm.Samples.Comparison.Serving;
using Microsoft.AspNetCore.Builder;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A transport that carries gRPC. All differences between these transports are in these methods.</summary>
internal interface IGrpcTransport : ITransport
{
    /// <summary>Server process: makes the host listen on the address.</summary>
    void ConfigureServer(WebApplicationBuilder builder, string address);

    /// <summary>Server process, when it listens: the address for clients.</summary>
    string GetBoundAddress(WebApplication application, string address) => address;

    /// <summary>Whether large payloads are sent in loans where a scenario allows it; plain ones otherwise.</summary>
    bool SendsLoans => false;

    /// <summary>Client process: makes a channel with a connection of its own.</summary>
    ChannelBase CreateChannel(string address);

    Task ITransport.ServeAsync(string address, Action<string> listening, CancellationToken stopping) =>
        GrpcServer.ServeAsync(this, address, listening, stopping);

    IConnection ITransport.Connect(string address) => new GrpcConnection(CreateChannel(address), SendsLoans);
}
