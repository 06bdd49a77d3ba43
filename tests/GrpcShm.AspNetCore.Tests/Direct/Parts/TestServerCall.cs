using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>A call that runs no application.</summary>
internal sealed class TestServerCall(ServerConnection connection) : ServerCall(connection)
{
    protected override Task RunAsync() => Task.CompletedTask;
}
