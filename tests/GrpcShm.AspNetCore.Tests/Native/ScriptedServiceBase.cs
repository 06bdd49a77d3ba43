using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>The base of the service, as gRPC's generated code has it.</summary>
[BindServiceMethod(typeof(ScriptedMethods), nameof(ScriptedMethods.BindService))]
internal abstract class ScriptedServiceBase
{
    public virtual Task<string> Unary(string request, ServerCallContext context) => throw CreateUnimplemented();

    public virtual Task<string> ClientStreaming(IAsyncStreamReader<string> requests, ServerCallContext context) =>
        throw CreateUnimplemented();

    public virtual Task ServerStreaming(
        string request, IServerStreamWriter<string> responses, ServerCallContext context) =>
        throw CreateUnimplemented();

    public virtual Task DuplexStreaming(
        IAsyncStreamReader<string> requests, IServerStreamWriter<string> responses, ServerCallContext context) =>
        throw CreateUnimplemented();

    private static RpcException CreateUnimplemented() => new(new Status(StatusCode.Unimplemented, ""));
}
