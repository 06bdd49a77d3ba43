using GrpcShm.AspNetCore.Native;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>A call that the application of the host serves. The application's context is pooled with it.</summary>
internal sealed class ServerCall<TContext>(ServerConnection connection, IHttpApplication<TContext> application)
    : ServerCall(connection), IHostContextContainer<TContext>
    where TContext : notnull
{
    TContext? IHostContextContainer<TContext>.HostContext { get; set; }

    protected override async Task RunAsync()
    {
        var context = default(TContext);
        var hasContext = false;
        var isHeard = false;
        NativeCallContext? native = null;
        try
        {
            try
            {
                PrepareHeaders();
                if (FindNative() is { } method)
                {
                    native = new NativeCallContext(this, method);
                    native.BeginDiagnostics();
                    isHeard = TellStarted();
                    await method.ServeAsync(native).ConfigureAwait(false);
                }
                else
                {
                    context = application.CreateContext(this);
                    hasContext = true;
                    isHeard = TellStarted();
                    await application.ProcessRequestAsync(context).ConfigureAwait(false);
                }

                await Response.Progress.FinishAsync().ConfigureAwait(false);
            }
            catch (BadHttpRequestException exception)
            {
                Connection.LogRefusal(exception.Message);
                Response.Progress.SetFailure(exception);
            }
            catch (MalformedCallException exception) when (!hasContext && native is null)
            {
                Connection.LogRefusal(exception.Message);
                Lifetime.Abort(RequestFailures.CreateRefused(exception.Message));
                CallStream.Reset(exception.Error);
            }
            catch (Exception exception)
                when (exception is OperationCanceledException or IOException && Lifetime.IsAborted)
            {
                // The handler noticed that the request was given up, which is no failure of the application. Kestrel
                // sees it in the same way, and so do listeners to failures.
            }
            catch (Exception exception)
            {
                if (!Lifetime.IsAborted)
                {
                    LogFailure(exception);
                }

                Response.Progress.SetFailure(exception);
            }

            StopBodies();
            try
            {
                if (Lifetime.IsAborted)
                {
                    Response.Progress.SetAborted();
                }
                else if (Response.Progress.End() is { } mistake)
                {
                    // The handler has returned, so the exception cannot be thrown to it.
                    LogFailure(mistake);
                }
            }
            catch (Exception exception)
            {
                // The trailers cannot be sent. The client has to learn that none will come.
                Response.Progress.SetFailure(exception);
                LogFailure(exception);
                Response.Progress.BreakOff();
            }

            await Response.Callbacks.RunCompletedAsync().ConfigureAwait(false);
            if (isHeard)
            {
                TellStopped();
            }

            try
            {
                native?.Leave(Response.Progress.Failure);
                if (hasContext)
                {
                    application.DisposeContext(context!, Response.Progress.Failure);
                }
            }
            catch (Exception exception)
            {
                LogFailure(exception);
            }
        }
        finally
        {
            Leave();
        }
    }
}
