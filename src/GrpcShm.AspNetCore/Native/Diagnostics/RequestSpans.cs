using System.Diagnostics;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// Begins the span of a request, as hosting does: its parent and its baggage come from the headers, as the host's
/// propagator reads them. Any thread.
/// </summary>
internal sealed class RequestSpans(ActivitySource source, DistributedContextPropagator propagator)
{
    private const string Name = "Microsoft.AspNetCore.Hosting.HttpRequestIn";
    private const string Switch = "Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData";
    private const int DefaultPort = 80;

    // Without this switch of ASP.NET Core, tags are left to the libraries that export spans.
    private readonly bool _areTagsWanted = AppContext.TryGetSwitch(Switch, out var isSuppressed) && !isSuppressed;

    /// <summary>True if anybody listens to spans of requests.</summary>
    public bool AreHeard => source.HasListeners();

    /// <summary>Begins the span of a request, and makes it the current one.</summary>
    /// <param name="call">The request.</param>
    /// <param name="isNeeded">True if there has to be a span, also if no listener wants this one.</param>
    public Activity? Begin(ServerCall call, bool isNeeded)
    {
        var headers = call.Request.Headers;
        propagator.ExtractTraceIdAndState(headers, Read, out var parent, out var state);
        TagList? tags = _areTagsWanted ? Describe(call) : null;
        var span = AreHeard ? Sample(parent, state, tags) : null;
        if (span is null)
        {
            if (!isNeeded)
            {
                return null;
            }

            span = Make(parent, tags);
        }

        if (!string.IsNullOrEmpty(parent) && !string.IsNullOrEmpty(state))
        {
            span.TraceStateString = state;
        }

        if (propagator.ExtractBaggage(headers, Read) is { } baggage)
        {
            foreach (var (key, value) in baggage)
            {
                span.AddBaggage(key, value);
            }
        }

        return span.Start();
    }

    private static void Read(object? carrier, string name, out string? value, out IEnumerable<string>? values)
    {
        values = null;
        value = ((IHeaderDictionary)carrier!)[name];
    }

    // Only logs need this one. Its kind is none of a server, as in hosting.
    private static Activity Make(string? parent, TagList? tags)
    {
        var span = new Activity(Name);
        if (!string.IsNullOrEmpty(parent))
        {
            span.SetParentId(parent);
        }

        if (tags is { } list)
        {
            foreach (var (key, value) in list)
            {
                span.AddTag(key, value);
            }
        }

        return span;
    }

    private static TagList Describe(ServerCall call)
    {
        var tags = new TagList();
        IHeaderDictionary headers = call.Request.Headers;
        var host = HostString.FromUriComponent(headers.Host.ToString());
        if (host.HasValue)
        {
            tags.Add("server.address", host.Host);
            tags.Add("server.port", host.Port ?? DefaultPort);
        }

        tags.Add("http.request.method", GrpcRequestRules.Method);
        if (headers.UserAgent is [{ Length: > 0 } userAgent, ..])
        {
            tags.Add("user_agent.original", userAgent);
        }

        tags.Add("url.scheme", GrpcRequestRules.Scheme);
        tags.Add("url.path", call.Request.Path);
        return tags;
    }

    /// <summary>Asks the listeners whether they want the span.</summary>
    private Activity? Sample(string? parent, string? state, TagList? tags) =>
        ActivityContext.TryParse(parent, state, isRemote: true, out var context)
            ? source.CreateActivity(Name, ActivityKind.Server, context, tags)
            : source.CreateActivity(
                Name, ActivityKind.Server, string.IsNullOrEmpty(parent) ? null : parent, tags);
}
