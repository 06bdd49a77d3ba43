using System.Runtime.ExceptionServices;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <content>The end of a call whose handler has failed.</content>
internal sealed partial class NativeCallContext
{
    /// <summary>Ends the call, since its handler has failed.</summary>
    public async Task FailAsync(Exception exception)
    {
        try
        {
            await EndFailedAsync(exception).ConfigureAwait(false);
        }
        catch (Exception escaped) when (_method.Pipeline.ForFailures is not null)
        {
            await PassOnAsync(_method.Pipeline.ForFailures, escaped).ConfigureAwait(false);
        }
    }

    private async Task EndFailedAsync(Exception exception)
    {
        if (!TryStopDeadline())
        {
            await _expired!.Task.ConfigureAwait(false);
        }

        if (exception is RpcException thrown)
        {
            GrpcLog.StatusThrown(
                _method.Logger, thrown.StatusCode, thrown.Status.Detail, thrown.Status.DebugException);
            foreach (var trailer in thrown.Trailers)
            {
                ResponseTrailers.Add(trailer);
            }

            _status = thrown.Status;
        }
        else
        {
            if (exception is OperationCanceledException or IOException && IsCancelled)
            {
                GrpcLog.HandlerCanceled(_method.Logger, _method.Name, exception);
            }
            else
            {
                GrpcLog.HandlerFailed(_method.Logger, _method.Name, exception);
            }

            _status = new Status(
                StatusCode.Unknown,
                FailureText.Describe(exception, _method.Settings.HasDetailedErrors),
                exception);
        }

        if (_expired is null)
        {
            SetTrailers();
        }

        Parts.Diagnostics.EndHandler(_status.StatusCode);
    }

    /// <summary>
    /// Lets the application's middleware act on an exception, as if its endpoint had thrown it: the pipeline runs with
    /// an endpoint that does so.
    /// </summary>
    private Task PassOnAsync(RequestDelegate pipeline, Exception exception)
    {
        var context = FindHttpContext();
        var endpoint = _method.EndPoint.Endpoint;
        Parts.Diagnostics.LeaveEndpoint();
        context.SetEndpoint(new Endpoint(Throw, endpoint.Metadata, endpoint.DisplayName));
        return pipeline(context);

        Task Throw(HttpContext thrower)
        {
            // Middleware sees the endpoint itself.
            thrower.SetEndpoint(endpoint);
            ExceptionDispatchInfo.Throw(exception);
            return Task.CompletedTask;
        }
    }
}
