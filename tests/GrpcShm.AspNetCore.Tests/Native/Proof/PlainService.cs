using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>
/// A service without any metadata of its own. A method has what the compiler adds to asynchronous methods.
/// </summary>
internal sealed class PlainService : PlainServiceBase
{
    public override async Task<string> Say(string request, ServerCallContext context)
    {
        await Task.Yield();
        return request;
    }
}
