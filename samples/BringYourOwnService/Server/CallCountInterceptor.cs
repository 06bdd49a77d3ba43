using System.Globalization;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Samples.BringYourOwnService.Server;

/// <summary>Numbers the admitted calls, and sends each caller the number in the trailers.</summary>
internal sealed class CallCountInterceptor : Interceptor
{
    public const string TrailerName = "call-number";

    private int _calls;

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var number = Interlocked.Increment(ref _calls);
        context.ResponseTrailers.Add(TrailerName, number.ToString(CultureInfo.InvariantCulture));
        return await continuation(request, context);
    }
}
