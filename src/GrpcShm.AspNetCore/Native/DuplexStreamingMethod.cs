using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A method with a stream of requests and a stream of responses.</summary>
internal sealed class DuplexStreamingMethod<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService, TRequest, TResponse>
    : ServiceMethod<TService, TRequest, TResponse>
    where TService : class
    where TRequest : class
    where TResponse : class
{
    private readonly DuplexStreamingServerMethod<TService, TRequest, TResponse> _method;
    private readonly DuplexStreamingServerMethod<TRequest, TResponse> _handler;

    public DuplexStreamingMethod(
        Method<TRequest, TResponse> method,
        DuplexStreamingServerMethod<TService, TRequest, TResponse> handler,
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
        var responses = new NativeResponseStream<TResponse>(context, Serialize);
        context.Use(responses);
        try
        {
            await _handler(requests, responses, context).ConfigureAwait(false);
        }
        finally
        {
            requests.Complete();
            responses.Complete();
        }
    }

    private async Task CallAsync(
        IAsyncStreamReader<TRequest> requests,
        IServerStreamWriter<TResponse> responses,
        ServerCallContext context)
    {
        var service = Services.Create(context);
        try
        {
            await _method(service.Instance, requests, responses, context).ConfigureAwait(false);
        }
        finally
        {
            await Services.ReleaseAsync(service).ConfigureAwait(false);
        }
    }
}
