"""What a member's pickle says, read as plain data, and built only where a fitted member says the same.

A pickle is a program: it says what is called, with which arguments, and what state an object is given. Even a class
that members are made of can open a file when it is called, so nothing is called that a pickle names. Classes are made
without arguments and given a state that replaces no method; rules of this module stand for the few functions.
"""

import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any, ClassVar, NoReturn, Self

import src.base.openmp

import numpy as np

from src.ml.model_view import VIEW_NAMES, scale_free_view
from src.training.members.member import REGISTRY
from src.training.pickle_size import check_size

Name = tuple[str, str]
VIEW = ("src.ml.model_view", "scale_free_view")
DTYPE = ("numpy", "dtype")
SCALAR = ("numpy._core.multiarray", "scalar")
ARRAY = ("numpy._core.numeric", "_frombuffer")
DEFAULT_DICT = ("collections", "defaultdict")
ORDERED_DICT = ("collections", "OrderedDict")
TREE = ("sklearn.tree._tree", "Tree")
SHARED = {
    *{("sklearn.pipeline", "Pipeline"), ("sklearn.preprocessing._function_transformer", "FunctionTransformer")},
    *{VIEW, DTYPE, SCALAR, ARRAY},
}
# What a member's pickle may name.
KNOWN = SHARED.union(*(member.PICKLED for member in REGISTRY.values()))
PLAIN = {type(None), bool, int, float, str, bytes, bytearray}
# What a member holds itself, and not something made by it.
HELD = {VIEW: scale_free_view, ORDERED_DICT: OrderedDict}


class Part:
    """One thing that a pickle makes: its name, its arguments and its state. It does nothing."""

    name: ClassVar[Name]
    arguments: tuple[Any, ...]
    state: Any

    def __new__(cls, *arguments: object) -> Self:
        """Keep the arguments, whether the pickle calls the class or makes an object without calling it."""
        part = super().__new__(cls)
        part.arguments, part.state = arguments, None
        return part

    def __setstate__(self, state: object) -> None:
        """Keep the state; an object gets one."""
        if self.state is not None:
            _refuse(f"it gives {'.'.join(self.name)} two states")
        self.state = state


PARTS: dict[Name, type[Part]] = {name: type(name[1], (Part,), {"name": name}) for name in KNOWN}


def read_parts(content: bytes) -> object:
    """Return what a member's pickle makes.

    `pickle.UnpicklingError`, or what else a pickle that is damaged raises, for whatever no fitted member holds.
    """
    check_size(content)
    return _Builder().build(_PartUnpickler(BytesIO(content)).load())


class _PartUnpickler(pickle.Unpickler):
    """Reads plain data, and a `Part` for everything else."""

    def find_class(self, module: str, name: str) -> type[Part]:
        """Return what stands for a known name; refuse every other, and import neither."""
        if (module, name) not in KNOWN:
            _refuse(f"it names {module}.{name}, which no member is made of")
        return PARTS[module, name]


class _Builder:
    """Makes of plain data and parts what they stand for, each once."""

    def __init__(self) -> None:
        self._built: dict[int, Any] = {}

    def build(self, content: Any) -> Any:  # noqa: ANN401 - whatever a pickle holds
        """Return the same with every part made."""
        if type(content) in PLAIN:
            return content
        if id(content) not in self._built:
            self._built[id(content)] = self._made(content)
        return self._built[id(content)]

    def _made(self, content: Any) -> Any:  # noqa: ANN401 - as above
        if isinstance(content, Part):
            arguments, state = self.build(content.arguments), self.build(content.state)
            return RULES[content.name](arguments, state) if content.name in RULES else _thing(content, state)
        if isinstance(content, type) and issubclass(content, Part) and content.name in HELD:
            return HELD[content.name]
        if isinstance(content, dict):
            return {self.build(key): self.build(kept) for key, kept in content.items()}
        if isinstance(content, list | tuple):
            return type(content)(self.build(kept) for kept in content)
        msg = f"it holds {getattr(content, '__name__', type(content).__name__)}, which no member holds"
        raise pickle.UnpicklingError(msg)


def _thing(part: Part, state: Any) -> object:  # noqa: ANN401 - whatever a pickle gives it
    """Return an object with its state; its constructor does not run."""
    module, name = part.name
    home = import_module(module)
    kind = getattr(home, name)
    if part.arguments:
        _refuse(f"it calls {module}.{name}, which no member does")
    if not isinstance(state, dict):
        _refuse(f"it gives {module}.{name} a {type(state).__name__} for a state")
    for key in state:
        if not isinstance(key, str) or callable(getattr(kind, key, None)):
            _refuse(f"it replaces {key!r} of {module}.{name}")
    thing = kind.__new__(kind)
    try:
        thing.__setstate__(dict(state))
    except getattr(home, "LightGBMError", ()) as error:  # that of other libraries is a ValueError
        _refuse(str(error))
    return thing


def _defaultdict(arguments: tuple[Any, ...], state: object) -> object:
    """Return LightGBM's scores by data set, of which a member has none."""
    if arguments != (OrderedDict,) or state is not None:
        _refuse("it holds a defaultdict as no member does")
    return defaultdict(OrderedDict)


def _dtype(arguments: tuple[Any, ...], state: Any) -> np.dtype:  # noqa: ANN401 - as above
    """Return a type of numbers, or of records of them, if numpy describes it in the same words.

    numpy believes what a state says of sizes, and of which bytes are addresses.
    """
    description, (_, _, _, names, fields, n_bytes, *_) = arguments[0], state
    if names is not None:
        formats, offsets = zip(*(fields[name] for name in names), strict=True)
        description = {"names": names, "formats": formats, "offsets": offsets, "itemsize": n_bytes}
    dtype = np.dtype(description)
    if dtype.hasobject or dtype.__reduce__()[1:] != (arguments, state):
        _refuse("it describes numbers as no member does")
    return dtype


def _scalar(arguments: tuple[Any, ...], _state: object) -> object:
    """Return one number."""
    dtype, content = arguments
    (number,) = _array((content, dtype, (1,), "C"), None)
    return number


def _array(arguments: tuple[Any, ...], _state: object) -> np.ndarray:
    """Return an array of numbers."""
    content, dtype, shape, order = arguments
    if not isinstance(dtype, np.dtype) or not isinstance(content, bytes | bytearray):
        _refuse("it holds an array as no member does")
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _tree(arguments: tuple[Any, ...], state: Any) -> object:  # noqa: ANN401 - as above
    """Return a tree of scikit-learn, which follows nodes and reads columns unchecked; each node leads on."""
    n_features, n_classes, n_outputs = arguments
    nodes = state["nodes"]
    left, right, feature = nodes["left_child"], nodes["right_child"], nodes["feature"]
    nearest, farthest = np.minimum(left, right), np.maximum(left, right)
    is_leaf = farthest == -1
    is_inner = (nearest > np.arange(len(nodes))) & (farthest < len(nodes)) & (feature >= 0) & (feature < n_features)
    is_sized = (n_features, n_classes.tolist(), n_outputs) == (len(VIEW_NAMES), [2], 1)
    if not (is_sized and state["node_count"] == len(nodes) > 0 and ((is_leaf & (nearest == -1)) | is_inner).all()):
        _refuse("it holds a tree whose nodes lead nowhere")
    module, name = TREE
    tree = getattr(import_module(module), name)(n_features, n_classes, n_outputs)
    tree.__setstate__(state)
    return tree


def _refuse(words: str) -> NoReturn:
    raise pickle.UnpicklingError(words)


RULES: dict[Name, Callable[[tuple[Any, ...], Any], object]] = {
    DTYPE: _dtype,
    SCALAR: _scalar,
    ARRAY: _array,
    DEFAULT_DICT: _defaultdict,
    TREE: _tree,
}
