using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Loans;

/// <summary>
/// Ends the loans of a call with the call. Calls whose messages are no loans pass. One object serves all calls.
/// </summary>
/// <remarks>
/// A unary response is written after all interceptors. So loans do not end here, but with the response itself: a
/// handler may return what it has received, or a loan of its own.
/// </remarks>
internal sealed class LoanInterceptor : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (!Loan<TRequest>.Is && !Loan<TResponse>.Is)
        {
            return continuation(request, context);
        }

        var loans = CallLoans.Begin(context);
        Add(loans, request);
        return AddResponseAsync(loans, continuation(request, context));
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (!Loan<TRequest>.Is && !Loan<TResponse>.Is)
        {
            return continuation(requestStream, context);
        }

        var loans = CallLoans.Begin(context);
        return AddResponseAsync(loans, continuation(Wrap(requestStream, loans), context));
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (Loan<TRequest>.Is)
        {
            Add(CallLoans.Begin(context), request);
        }

        return continuation(request, responseStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(
            Loan<TRequest>.Is ? Wrap(requestStream, CallLoans.Begin(context)) : requestStream, responseStream, context);

    private static IAsyncStreamReader<T> Wrap<T>(IAsyncStreamReader<T> requests, CallLoans loans) =>
        Loan<T>.Is ? new LoanedRequests<T>(requests, loans) : requests;

    private static async Task<TResponse> AddResponseAsync<TResponse>(CallLoans loans, Task<TResponse> calling)
    {
        var response = await calling.ConfigureAwait(false);
        Add(loans, response);
        return response;
    }

    private static void Add<T>(CallLoans loans, T message)
    {
        if (message is ICallBound loan)
        {
            loans.Add(loan);
        }
    }

    /// <summary>Whether messages of a type are loans.</summary>
    private static class Loan<T>
    {
        public static readonly bool Is = typeof(ICallBound).IsAssignableFrom(typeof(T));
    }
}
