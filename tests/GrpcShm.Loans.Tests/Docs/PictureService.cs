using System.Buffers;
using Grpc.Core;
using GrpcShm.Loans;

namespace Imaging;

[BindServiceMethod(typeof(PictureService), nameof(Bind))]
public class PictureService
{
    public static void Bind(ServiceBinderBase binder, PictureService? service)
    {
        binder.AddMethod(PictureMethods.Sharpen, service is null ? null : service.Sharpen);
        binder.AddMethod(PictureMethods.Watch, service is null ? null : service.Watch);
    }

    public virtual Task<Loaned<Picture>> Sharpen(Loaned<Picture> picture, ServerCallContext context)
    {
        var sharp = Loaned.Create(picture.Message, (int)picture.PayloadLength);
        Filter(picture.Payload, sharp.Memory.Span);
        return Task.FromResult(sharp);
    }

    public virtual async Task Watch(
        WatchRequest request, IServerStreamWriter<Loaned<Picture>> pictures, ServerCallContext context)
    {
        for (var i = 0; i < request.Pictures; i++)
        {
            using var picture = Loaned.Create(new Picture { Name = $"{i}" }, 1024 * 1024);
            picture.Memory.Span.Fill((byte)i);
            await pictures.WriteAsync(picture);
        }
    }

    private static void Filter(ReadOnlySequence<byte> pixels, Span<byte> result)
    {
        foreach (var piece in pixels)
        {
            piece.Span.CopyTo(result);
            result = result[piece.Length..];
        }
    }
}
