using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>What native calls have to take over from the pipeline that they do not run through. Any thread.</summary>
/// <param name="forFailures">
/// The pipeline, if it has middleware that acts on an exception. No exception of a handler comes there, since gRPC
/// makes a status of it. But one of gRPC itself does: if a trailer cannot be sent.
/// </param>
/// <param name="marks">The keys by which middleware tells the endpoint, in the items, that it was there.</param>
/// <param name="conditions">What has to be true of the middleware's settings, call by call.</param>
internal sealed class PipelineTraits(RequestDelegate? forFailures, string[] marks, Func<bool>[] conditions)
{
    private static readonly object Mark = new();

    public static PipelineTraits None { get; } = new(null, [], []);

    public RequestDelegate? ForFailures => forFailures;

    /// <summary>True if the middleware lets a call pass that begins now.</summary>
    public bool LetsPass
    {
        get
        {
            foreach (var holds in conditions)
            {
                if (!holds())
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Adds the marks to the items of a call.</summary>
    public void AddMarks(IDictionary<object, object?> items)
    {
        foreach (var key in marks)
        {
            items[key] = Mark;
        }
    }
}
