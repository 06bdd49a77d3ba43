using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>What a handler has of its call, natively or not.</summary>
internal sealed record HandlerView(IFeatureCollection Features, CancellationToken Cancelled);

/// <summary>What a test runs as the handler of the one method, and its answer.</summary>
internal delegate Task<byte[]> DiagnosedHandler(HandlerView view);

/// <summary>A gRPC service with one method.</summary>
internal sealed class DiagnosedService(DiagnosedHandler handler)
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(
        static bytes => bytes, static bytes => bytes);

    public static Method<byte[], byte[]> Method { get; } =
        new(MethodType.Unary, "test.Diagnosed", "Run", Bytes, Bytes);

    /// <summary>Tells gRPC of the method.</summary>
    internal sealed class Methods : IServiceMethodProvider<DiagnosedService>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<DiagnosedService> context) =>
            context.AddUnaryMethod(Method, [], static (service, _, call) => service.RunAsync(call));
    }

    private Task<byte[]> RunAsync(ServerCallContext call) =>
        handler(new HandlerView(call.GetHttpContext().Features, call.CancellationToken));
}
