using System.Diagnostics.Tracing;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>An event source of another library, which is known by its name alone. Any thread.</summary>
/// <param name="name">The name of the source.</param>
internal sealed class ForeignEventSource(string name)
{
    // Set once it has been found, by whichever thread finds it first. All of them find the same.
    private EventSource? _source;

    /// <summary>
    /// True if anybody listens to it. Also as long as it is not there yet: somebody may wait for it, and only its
    /// library makes it, with the first call that takes the full pipeline.
    /// </summary>
    public bool IsHeard => _source is { } source ? source.IsEnabled() : Find();

    private bool Find()
    {
        // A program that was published without events has no sources at all, and never will have.
        var isAnyThere = false;
        foreach (var source in EventSource.GetSources())
        {
            isAnyThere = true;
            if (source.Name == name)
            {
                _source = source;
                return source.IsEnabled();
            }
        }

        return isAnyThere;
    }
}
