using Grpc.Core;
using GrpcShm.Loans;

namespace Imaging;

public static class PictureMethods
{
    private static readonly Marshaller<Loaned<Picture>> Loans =
        Loaned.CreateMarshaller(Picture.Parser, Picture.PixelsFieldNumber);

    public static readonly Method<Loaned<Picture>, Loaned<Picture>> Sharpen = Loaned.CreateMethod(
        Pictures.Descriptor, nameof(Pictures.PicturesClient.Sharpen), Loans, Loans);

    public static readonly Method<WatchRequest, Loaned<Picture>> Watch = Loaned.CreateMethod(
        Pictures.Descriptor,
        nameof(Pictures.PicturesClient.Watch),
        Loaned.CreatePlainMarshaller(WatchRequest.Parser),
        Loans);
}
