using Grpc.Core;
using GrpcShm.Samples.Comparison.Serving;
using Microsoft.AspNetCore.Builder;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A transport that carries gRPC. These are all the lines in which they differ.</summary>
internal interface IGrpcTransport : ITransport
{
    /// <summary>Server process: makes the host listen on the address.</summary>
    void ConfigureServer(WebApplicationBuilder builder, string address);

    /// <summary>Server process, once it listens: what a client connects to.</summary>
    string GetBoundAddress(WebApplication application, string address) => address;

    /// <summary>Client process: a channel of its own connection.</summary>
    ChannelBase CreateChannel(string address);

    Task ITransport.ServeAsync(string address, Action<string> listening, CancellationToken stopping) =>
        GrpcServer.ServeAsync(this, address, listening, stopping);

    IConnection ITransport.Connect(string address) => new GrpcConnection(CreateChannel(address));
}
