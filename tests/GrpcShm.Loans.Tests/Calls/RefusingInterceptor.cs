using Grpc.Core;
using Grpc.Core.Interceptors;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>An interceptor of the application, which lets some calls not come to their handler.</summary>
internal sealed class RefusingInterceptor : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        request is Loaned<WaferMap> { Message.Lot: "refuse" }
            ? throw new RpcException(new Status(StatusCode.PermissionDenied, "Not this wafer."))
            : continuation(request, context);
}
