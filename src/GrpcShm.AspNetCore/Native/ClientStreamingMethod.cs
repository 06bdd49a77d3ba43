using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A method with a stream of requests and one response.</summary>
internal sealed class ClientStreamingMethod<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService, TRequest, TResponse>
    : ServiceMethod<TService, TRequest, TResponse>
    where TService : class
    where TRequest : class
    where TResponse : class
{
    private readonly ClientStreamingServerMethod<TService, TRequest, TResponse> _method;
    private readonly ClientStreamingServerMethod<TRequest, TResponse> _handler;

    public ClientStreamingMethod(
        Method<TRequest, TResponse> method,
        ClientStreamingServerMethod<TService, TRequest, TResponse> handler,
        Endpoint endPoint,
        ServiceBinding<TService> binding)
        : base(method, endPoint, binding)
    {
        _method = handler;
        _handler = binding.Interceptors.Around<TRequest, TResponse>(CallAsync);
    }

    protected override async Task HandleAsync(NativeCallContext context)
    {
        context.LiftLimits();
        var requests = new NativeRequestStream<TRequest>(context, Deserialize);
        TResponse response;
        try
        {
            response = await _handler(requests, context).ConfigureAwait(false);
        }
        finally
        {
            requests.Complete();
        }

        await AnswerAsync(context, response).ConfigureAwait(false);
    }

    private async Task<TResponse> CallAsync(IAsyncStreamReader<TRequest> requests, ServerCallContext context)
    {
        var service = Services.Create(context);
        try
        {
            return await _method(service.Instance, requests, context).ConfigureAwait(false);
        }
        finally
        {
            await Services.ReleaseAsync(service).ConfigureAwait(false);
        }
    }
}
