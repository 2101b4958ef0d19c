// SentencePiece: reads a .model file (protobuf ModelProto of sentencepiece_model.proto).
#include <climits>
#include <cmath>

#include "hearth/core/error.h"
#include "llm/tokenizer/protobuf_reader.h"
#include "llm/tokenizer/scored_bpe.h"
#include "llm/tokenizer/tokenizer_parts.h"
#include "llm/tokenizer/unigram.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

constexpr char space_marker[] = "\u2581";
enum ModelType { unigram = 1, bpe = 2, word = 3, character = 4 };

// Defaults are those of the proto file.
struct ModelFile {
  std::vector<ScoredPiece> pieces;
  int32_t model_type = unigram;
  bool byte_fallback = false, whitespace_as_suffix = false;
  int32_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;
  std::string unk_surface = " \u2047 ";
  std::string_view charsmap;
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

ScoredPiece read_piece(std::string_view message, const std::string& name) {
  static constexpr PieceType types[] = {PieceType::normal,  PieceType::normal,       PieceType::unknown,
                                        PieceType::control, PieceType::user_defined, PieceType::unused,
                                        PieceType::byte};
  ScoredPiece piece;
  for (ProtobufReader field(message, name); field.next();) {
    if (field.field() == 1) piece.text = field.bytes();
    if (field.field() == 2) piece.score = field.float32();
    if (field.field() == 3) {
      check<ValueError>(field.number() >= 1 && field.number() <= 6, name, ": piece type ", field.number());
      piece.type = types[field.number()];
    }
  }
  check<ValueError>(!piece.text.empty(), name, ": a piece is empty");
  check<ValueError>(find_invalid_utf8(piece.text) == std::string::npos, name, ": a piece is not valid UTF-8");
  check<ValueError>(std::isfinite(piece.score), name, ": the score of piece \"", piece.text, "\" is not finite");
  check<ValueError>(piece.type != PieceType::byte || byte_piece_value(piece.text) >= 0, name, ": byte piece \"",
                    piece.text, "\" is not <0xHH>");
  return piece;
}

void read_trainer_spec(std::string_view message, const std::string& name, ModelFile& file) {
  for (ProtobufReader field(message, name); field.next();) {
    switch (field.field()) {
      case 3:
        file.model_type = field.int32();
        break;
      case 24:
        file.whitespace_as_suffix = field.flag();
        break;
      case 35:
        file.byte_fallback = field.flag();
        break;
      case 40:
        file.unk_id = field.int32();
        break;
      case 41:
        file.bos_id = field.int32();
        break;
      case 42:
        file.eos_id = field.int32();
        break;
      case 43:
        file.pad_id = field.int32();
        break;
      case 44:
        file.unk_surface = field.bytes();
        break;
      default:
        break;  // how the model was trained
    }
  }
}

void read_normalizer_spec(std::string_view message, const std::string& name, ModelFile& file) {
  for (ProtobufReader field(message, name); field.next();) {
    if (field.field() == 2) file.charsmap = field.bytes();
    if (field.field() == 3) file.add_dummy_prefix = field.flag();
    if (field.field() == 4) file.remove_extra_whitespaces = field.flag();
    if (field.field() == 5) file.escape_whitespaces = field.flag();
  }
}

ModelFile read_file(std::string_view model, const std::string& name) {
  ModelFile file;
  for (ProtobufReader field(model, name); field.next();) {
    if (field.field() == 1) file.pieces.push_back(read_piece(field.bytes(), name));
    if (field.field() == 2) read_trainer_spec(field.bytes(), name, file);
    if (field.field() == 3) read_normalizer_spec(field.bytes(), name, file);
    check<NotImplementedError>(field.field() != 5 || field.bytes().empty(), name, ": a denormalizer is not supported");
  }
  check<ValueError>(!file.pieces.empty(), name, ": no pieces");
  check<NotImplementedError>(!file.whitespace_as_suffix, name, ": treat_whitespace_as_suffix is not supported");
  return file;
}

std::optional<int32_t> special_id(int32_t id, PieceType type, const ModelFile& file) {
  if (id < 0 || static_cast<size_t>(id) >= file.pieces.size()) return std::nullopt;
  return file.pieces[static_cast<size_t>(id)].type == type ? std::optional(id) : std::nullopt;
}

std::string piece_bytes(const ScoredPiece& piece, const ModelFile& file) {
  if (piece.type == PieceType::byte) return std::string(1, static_cast<char>(byte_piece_value(piece.text)));
  if (piece.type == PieceType::unknown) return file.unk_surface;
  if (piece.type == PieceType::control) return piece.text;
  std::string text = piece.text;
  for (size_t at = text.find(space_marker); at != text.npos; at = text.find(space_marker, at + 1))
    text.replace(at, sizeof space_marker - 1, " ");
  return text;
}

std::shared_ptr<const SubwordModel> make_model(const ModelFile& file, const ScoredModelOptions& options,
                                               const std::string& name) {
  switch (file.model_type) {
    case unigram:
      return make_unigram(file.pieces, options);
    case bpe:
    case character:
      return make_scored_bpe(file.pieces, options);
    case word:
      fail<NotImplementedError>(name, ": model_type WORD is not supported");
    default:
      fail<ValueError>(name, ": model_type ", file.model_type);
  }
}

}  // namespace

TokenizerParts read_sentencepiece(std::string_view model, const std::string& name) {
  const ModelFile file = read_file(model, name);
  TokenizerParts parts;
  parts.name = name;
  parts.raw_added_tokens = true;
  for (const ScoredPiece& piece : file.pieces) {
    parts.tokens.push_back(piece.text);
    parts.bytes.push_back(piece_bytes(piece, file));
  }
  for (size_t id = 0; id < file.pieces.size(); ++id)
    if (file.pieces[id].type == PieceType::control)
      parts.added.push_back({static_cast<int32_t>(id), file.pieces[id].text, true});
  parts.unk = special_id(file.unk_id, PieceType::unknown, file);
  parts.bos = special_id(file.bos_id, PieceType::control, file);
  parts.eos = special_id(file.eos_id, PieceType::control, file);
  parts.pad = special_id(file.pad_id, PieceType::control, file);
  parts.wants_bos = parts.bos.has_value();
  const std::string space = file.escape_whitespaces ? space_marker : " ";
  SentencePieceRules rules{
      PrecompiledCharsmap(file.charsmap, name), file.add_dummy_prefix, file.remove_extra_whitespaces, {}, space};
  for (const ScoredPiece& piece : file.pieces)
    if (piece.type == PieceType::user_defined) rules.kept.insert(piece.text, 0);
  parts.normalizer.add(std::move(rules));
  parts.spaces_to_strip = file.remove_extra_whitespaces ? INT_MAX : file.add_dummy_prefix ? 1 : 0;
  parts.model = make_model(file, {parts.unk.value_or(-1), file.byte_fallback, file.model_type == bpe, space}, name);
  return parts;
}

}  // namespace hearth::llm
