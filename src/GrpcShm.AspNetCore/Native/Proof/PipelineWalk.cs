using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace GrpcShm.AspNetCore.Native.Proof;

/// <summary>
/// Finds out which middleware stands between hosting and an application's endpoints. There is no list of it: each
/// middleware holds the next one, in a field of its own. So this goes from one to the next by reflection. Where a later
/// version of ASP.NET Core has other shapes, the answer is that the pipeline is not known.
/// </summary>
internal sealed class PipelineWalk
{
    /// <summary>The version of ASP.NET Core whose middleware this library knows.</summary>
    public const int KnownVersion = 10;

    /// <summary>The middleware that chooses the endpoint.</summary>
    public const string RoutingMiddleware = "Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware";

    private const string HostingApplication = "Microsoft.AspNetCore.Hosting.HostingApplication";
    private const string UseMiddleware = "Microsoft.AspNetCore.Builder.UseMiddlewareExtensions";
    private const string EndpointMiddleware = "Microsoft.AspNetCore.Routing.EndpointMiddleware";

    // No pipeline is as long. It ends the walk if a later version makes circles.
    private const int Longest = 1000;

    private readonly List<PipelineLink> _links = [];

    private PipelineWalk()
    {
    }

    /// <summary>The middleware that has been found, the outermost first.</summary>
    public IReadOnlyList<PipelineLink> Links => _links;

    /// <summary>The outermost middleware; nothing if it is not known.</summary>
    public RequestDelegate? First { get; private set; }

    /// <summary>The endpoints that the pipeline's routing chooses from; nothing if the pipeline is not known.</summary>
    public CompositeEndpointDataSource? Routed { get; private set; }

    /// <summary>Why the pipeline is not known; nothing if it is.</summary>
    public string? WhyNotKnown { get; private set; }

    /// <summary>Walks through the pipeline of an application.</summary>
    /// <param name="application">What hosting passes to the server.</param>
    /// <param name="version">The major version of ASP.NET Core.</param>
    public static PipelineWalk Through(object application, int version)
    {
        var walk = new PipelineWalk();
        try
        {
            walk.Begin(application, version);
        }
        catch (Exception exception)
        {
            // Whatever a later version has there must not keep the server from its start.
            walk.Routed = null;
            walk.WhyNotKnown = $"the middleware cannot be read ({exception.Message})";
        }

        return walk;
    }

    /// <summary>A walk that found nothing.</summary>
    public static PipelineWalk NotPossible(string reason) => new() { WhyNotKnown = reason };

    /// <summary>True of the middleware of routing that has this name.</summary>
    public static bool IsOfRouting(PipelineLink link, string name) =>
        link.Middleware is not null
        && link.Type.FullName == name
        && link.Type.Assembly == typeof(EndpointDataSource).Assembly;

    /// <summary>
    /// True if a delegate calls a method of the object that it holds, and not one that takes the object as an argument.
    /// </summary>
    public static bool IsMethodOfTarget(Delegate called) =>
        called is { Target: { } target, Method: { IsStatic: false, DeclaringType: { } declaring } }
        && declaring.IsInstanceOfType(target);

    private void Begin(object application, int version)
    {
        if (version != KnownVersion)
        {
            WhyNotKnown = $"this library knows the middleware of ASP.NET Core {KnownVersion}, and this is {version}";
        }
        else if (application.GetType().FullName != HostingApplication
            || !PipelineLink.IsOfMicrosoft(application.GetType()))
        {
            WhyNotKnown = $"the server is given an application of the type {application.GetType()}";
        }
        else if (!ObjectFields.TryGetOnly<DefaultHttpContextFactory>(application, out var factory) || factory is null)
        {
            WhyNotKnown = "the application makes each HttpContext by an IHttpContextFactory of its own";
        }
        else if (!ObjectFields.TryGetOnly<RequestDelegate>(application, out var first) || first is null)
        {
            WhyNotKnown = "the middleware cannot be read";
        }
        else
        {
            First = first;
            Walk(first);
        }
    }

    private void Walk(RequestDelegate first)
    {
        CompositeEndpointDataSource? routed = null;
        var current = first;
        while (_links.Count < Longest)
        {
            if (!current.HasSingleTarget || !IsMethodOfTarget(current) || current.Target is not { } target)
            {
                WhyNotKnown = Behind($"{current.Method.DeclaringType}.{current.Method.Name}");
                return;
            }

            var (link, next) = Look(target);
            _links.Add(link);
            if (IsOfRouting(link, EndpointMiddleware))
            {
                Routed = routed;
                WhyNotKnown = routed is null ? "the endpoints run before routing" : null;
                return;
            }

            if (IsOfRouting(link, RoutingMiddleware))
            {
                if (routed is not null
                    || !ObjectFields.TryGetOnly<EndpointDataSource>(link.Middleware!, out var source)
                    || source is not CompositeEndpointDataSource composite)
                {
                    WhyNotKnown = "it is not known which endpoints the routing chooses from";
                    return;
                }

                routed = composite;
            }

            if (next is null)
            {
                WhyNotKnown = Behind(link.Name);
                return;
            }

            current = next;
        }

        WhyNotKnown = "the middleware has no end";
    }

    private static string Behind(string name) => $"it is not known what runs behind {name}";

    private static (PipelineLink Link, RequestDelegate? Next) Look(object target)
    {
        var type = target.GetType();
        var outermost = PipelineLink.Outermost(type);
        if (outermost.Assembly == typeof(UseMiddlewareExtensions).Assembly)
        {
            if (outermost == typeof(UseExtensions))
            {
                return LookAtUse(target);
            }

            if (outermost.DeclaringType?.FullName == UseMiddleware)
            {
                return LookAtUseMiddleware(target);
            }
        }

        return (PipelineLink.Of(type, target), NextOf(target));
    }

    /// <summary>app.Use((context, next) => …): the lambda and the next middleware stand in two closures.</summary>
    private static (PipelineLink Link, RequestDelegate? Next) LookAtUse(object closure)
    {
        var lambdas = WithOuterClosures(closure)
            .SelectMany(static part => ObjectFields.Of(part).Select(field => field.GetValue(part)))
            .OfType<Delegate>()
            .Where(static value => value is not RequestDelegate)
            .ToList();
        return (
            lambdas.Count == 1 ? PipelineLink.OfLambda(lambdas[0]) : PipelineLink.Of(closure.GetType(), closure),
            NextOf(closure));
    }

    /// <summary>
    /// app.UseMiddleware of a class whose method wants services as well, or of an <c>IMiddleware</c>, which is made for
    /// each request.
    /// </summary>
    private static (PipelineLink Link, RequestDelegate? Next) LookAtUseMiddleware(object closure)
    {
        if (ObjectFields.TryGetOnly<object>(closure, out var middleware) && middleware is not null)
        {
            return (PipelineLink.Of(middleware.GetType(), middleware), NextOf(middleware));
        }

        var types = ObjectFields.Of(closure)
            .Where(static field => field.FieldType.DeclaringType?.FullName == UseMiddleware)
            .Select(field => field.GetValue(closure))
            .OfType<object>()
            .SelectMany(ObjectFields.ValuesOf<Type>)
            .OfType<Type>()
            .ToList();
        return types is [var type]
            ? (PipelineLink.Of(type, null), NextOf(closure))
            : (PipelineLink.Of(closure.GetType(), closure), null);
    }

    /// <summary>The one middleware that a middleware holds; nothing if it holds none, or several.</summary>
    private static RequestDelegate? NextOf(object middleware)
    {
        var held = WithOuterClosures(middleware).SelectMany(ObjectFields.ValuesOf<RequestDelegate>).ToList();
        return held is [var next] ? next : null;
    }

    /// <summary>An object, and the closures that a closure refers to.</summary>
    private static List<object> WithOuterClosures(object target)
    {
        List<object> parts = [target];
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            if (PipelineLink.IsMadeByCompiler(part.GetType()))
            {
                var outer = ObjectFields.Of(part)
                    .Where(static field => PipelineLink.IsMadeByCompiler(field.FieldType))
                    .Select(field => field.GetValue(part))
                    .OfType<object>()
                    .Except(parts);
                parts.AddRange(outer.ToList());
            }
        }

        return parts;
    }
}
