using System.Globalization;
using GrpcShm.Differential.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.Differential.Responses;

/// <summary>The application for responses: it does the steps of a script, and notes their results.</summary>
internal sealed class ResponseActor(ResponseBook book)
{
    public const string Header = "x-script";

    public async Task HandleAsync(HttpContext context)
    {
        if (book.Find(context.Request.Headers[Header]) is not { } act)
        {
            return;
        }

        act.ConnectionId = context.Connection.Id;

        // This callback runs last, since the first registered callback runs last.
        context.Response.OnCompleted(() =>
        {
            act.End();
            return Task.CompletedTask;
        });
        var (isCompleted, isBrokenOff) = (false, false);
        foreach (var step in act.Script.Steps)
        {
            if (step.Action is ResponseAction.Throw or ResponseAction.ThrowBadRequest or ResponseAction.ThrowCancelled)
            {
                throw step.Action switch
                {
                    ResponseAction.Throw => new InvalidOperationException(step.Value),
                    ResponseAction.ThrowBadRequest => new BadHttpRequestException(step.Value, step.Number),
                    _ => new OperationCanceledException(step.Value),
                };
            }

            string outcome;
            var isAfterAll = DocumentedDifferences.IsOver(isCompleted, isBrokenOff);
            try
            {
                outcome = await DoAsync(context, act, step);
            }
            catch (Exception exception)
            {
                outcome = Shown.Failure(exception);
            }

            isCompleted |= step.Action
                is ResponseAction.Complete
                or ResponseAction.CompletePipe
                or ResponseAction.CompletePipeWithError;
            isBrokenOff |= step.Action is ResponseAction.Abort or ResponseAction.Reset;
            act.Written += step.Action
                is ResponseAction.Write
                or ResponseAction.WriteSynchronously
                or ResponseAction.FillPipe
                or ResponseAction.WritePipe
                ? step.Number
                : 0;
            act.Note($"{step}: {(isAfterAll ? "done" : outcome)}");
        }
    }

    private static async Task<string> DoAsync(HttpContext context, ResponseAct act, ResponseStep step)
    {
        var response = context.Response;
        var (name, value, number) = (step.Name, step.Value, step.Number);
        switch (step.Action)
        {
            case ResponseAction.SetStatus:
                response.StatusCode = number;
                break;
            case ResponseAction.SetHeader:
                response.Headers[name] = value;
                return Shown.Text(response.Headers[name].ToString());
            case ResponseAction.AddHeader:
                response.Headers.Add(new(name, value));
                break;
            case ResponseAction.AppendHeader:
                response.Headers.Append(name, value);
                return Shown.Text(response.Headers[name].ToString());
            case ResponseAction.SetTwoValues:
                response.Headers[name] = new string?[] { value, "second" };
                break;
            case ResponseAction.RemoveHeader:
                return response.Headers.Remove(name).ToString();
            case ResponseAction.SetContentLength:
                response.ContentLength = number;
                return $"{response.ContentLength} {response.Headers.ContentLength}";
            case ResponseAction.SetReason:
                context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = value;
                break;
            case ResponseAction.Write:
                await response.Body.WriteAsync(Bytes(number));
                break;
            case ResponseAction.WriteSynchronously:
                response.Body.Write(Bytes(number));
                break;
            case ResponseAction.FillPipe:
                Bytes(number).CopyTo(response.BodyWriter.GetMemory(number).Span);
                response.BodyWriter.Advance(number);
                break;
            case ResponseAction.FlushPipe:
                var flushed = await response.BodyWriter.FlushAsync();
                return DocumentedDifferences.MayBeBrokenOff(act.Written) ? "done" : Describe(flushed);
            case ResponseAction.WritePipe:
                var result = await response.BodyWriter.WriteAsync(Bytes(number));
                return DocumentedDifferences.HasResult(number)
                    && !DocumentedDifferences.MayBeBrokenOff(act.Written + number)
                    ? Describe(result)
                    : "done";
            case ResponseAction.Flush:
                await response.Body.FlushAsync();
                break;
            case ResponseAction.Start:
                await response.StartAsync();
                break;
            case ResponseAction.Complete:
                await response.CompleteAsync();
                break;
            case ResponseAction.CompletePipe:
                await response.BodyWriter.CompleteAsync();
                break;
            case ResponseAction.CompletePipeWithError:
                response.BodyWriter.Complete(new InvalidOperationException("on purpose"));
                break;
            case ResponseAction.DisableBuffering:
                context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
                break;
            case ResponseAction.Clear:
                response.Clear();
                break;
            case ResponseAction.Redirect:
                response.Redirect(value);
                break;
            default:
                return DoRare(context, act, step);
        }

        return "done";
    }

    private static string DoRare(HttpContext context, ResponseAct act, ResponseStep step)
    {
        var response = context.Response;
        var (name, value, number) = (step.Name, step.Value, step.Number);
        switch (step.Action)
        {
            case ResponseAction.DeclareTrailer:
                response.DeclareTrailer(name);
                break;
            case ResponseAction.AppendTrailer:
                response.AppendTrailer(name, value);
                break;
            case ResponseAction.OnStarting:
                response.OnStarting(() =>
                {
                    act.Note($"on starting {name}");
                    response.Headers[name] = value;
                    return Task.CompletedTask;
                });
                break;
            case ResponseAction.OnStartingThrows:
                response.OnStarting(() => throw new InvalidOperationException("on purpose"));
                break;
            case ResponseAction.OnStartingSetsStatus:
                // Completing a pipe with an error does not wait for the consequences.
                var isAwaited = act.Script.Steps.All(static s => s.Action != ResponseAction.CompletePipeWithError);
                response.OnStarting(async () =>
                {
                    if (isAwaited)
                    {
                        await Task.Yield();
                    }

                    response.StatusCode = number;
                });
                break;
            case ResponseAction.OnCompleted:
                response.OnCompleted(() =>
                {
                    act.Note("on completed");
                    return Task.CompletedTask;
                });
                break;
            case ResponseAction.OnCompletedThrows:
                response.OnCompleted(() => throw new InvalidOperationException("on purpose"));
                break;
            case ResponseAction.Reset:
                context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(number);
                break;
            case ResponseAction.Abort:
                context.Abort();
                break;
            default:
                return Observe(response);
        }

        return "done";
    }

    private static string Observe(HttpResponse response)
    {
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{response.StatusCode} {response.HasStarted} {response.Headers.IsReadOnly} "
            + $"{response.ContentLength} {response.ContentType}");
    }

    private static string Describe(System.IO.Pipelines.FlushResult result) =>
        $"{result.IsCompleted} {result.IsCanceled}";

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)((i * 31) ^ (i >> 8));
        }

        return bytes;
    }
}
