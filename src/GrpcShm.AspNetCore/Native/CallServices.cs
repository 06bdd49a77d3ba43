using Grpc.Core;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Finds the services of the scope of a call.</summary>
internal static class CallServices
{
    /// <param name="context">The context of the call, or one that an interceptor has put around it.</param>
    public static IServiceProvider Of(ServerCallContext context) =>
        context is NativeCallContext native ? native.RequestServices : context.GetHttpContext().RequestServices;
}
