using GrpcShm.AspNetCore.Native.Diagnostics;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native;

/// <summary>A method of a service, whose calls are dispatched without an <c>HttpContext</c>. Any thread.</summary>
internal abstract class NativeMethod
{
    protected NativeMethod(string name, Endpoint endPoint, ServiceSettings settings, ServiceSurroundings surroundings)
    {
        Name = name;
        EndPoint = new DiagnosedEndpoint(endPoint);
        Settings = settings;
        Surroundings = surroundings;
    }

    /// <summary>The name of the method alone, as it is logged.</summary>
    public string Name { get; }

    /// <summary>The endpoint that stands for the method in the application's routes.</summary>
    public DiagnosedEndpoint EndPoint { get; }

    /// <summary>The options of its service.</summary>
    public ServiceSettings Settings { get; }

    /// <summary>Who is told of the calls.</summary>
    public ServiceSurroundings Surroundings { get; }

    /// <summary>What its calls take over from the application's pipeline. Set before the first call.</summary>
    public PipelineTraits Pipeline { get; set; } = PipelineTraits.None;

    /// <summary>The logger of calls, in the category of grpc-dotnet.</summary>
    public ILogger Logger => Surroundings.Logger;

    /// <summary>Serves a call.</summary>
    /// <returns>
    /// A task that completes when the handler has ended and its status is set. The response is ended by the caller, who
    /// is also told what no client can be told.
    /// </returns>
    public Task ServeAsync(NativeCallContext context)
    {
        try
        {
            context.Begin();
            var handling = HandleAsync(context);
            return handling.IsCompletedSuccessfully ? context.EndAsync() : EndAsync(context, handling);
        }
        catch (Exception exception)
        {
            return context.FailAsync(exception);
        }
    }

    /// <summary>Reads the request, calls the handler, and writes the response.</summary>
    protected abstract Task HandleAsync(NativeCallContext context);

    private static async Task EndAsync(NativeCallContext context, Task handling)
    {
        try
        {
            await handling.ConfigureAwait(false);
            await context.EndAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await context.FailAsync(exception).ConfigureAwait(false);
        }
    }
}
